/// A value that may be absent: a vector of at most one element, which is also its stored form.
module std::option {
    use std::vector;

    /// The option holds a value, and must be empty for this.
    const EOPTION_IS_SET: u64 = 0x40000;
    /// The option is empty, and must hold a value for this.
    const EOPTION_NOT_SET: u64 = 0x40001;
    /// The vector has more than one element.
    const EOPTION_VEC_TOO_LONG: u64 = 0x40002;

    struct Option<Element> has copy, drop, store {
        vec: vector<Element>
    }

    public fun none<Element>(): Option<Element> {
        Option { vec: vector::empty() }
    }

    public fun some<Element>(e: Element): Option<Element> {
        Option { vec: vector::singleton(e) }
    }

    /// The option whose stored form is `vec`.
    public fun from_vec<Element>(vec: vector<Element>): Option<Element> {
        assert!(vec.length() <= 1, EOPTION_VEC_TOO_LONG);
        Option { vec }
    }

    public fun is_none<Element>(self: &Option<Element>): bool {
        self.vec.is_empty()
    }

    public fun is_some<Element>(self: &Option<Element>): bool {
        !self.vec.is_empty()
    }

    public fun contains<Element>(self: &Option<Element>, e_ref: &Element): bool {
        self.vec.contains(e_ref)
    }

    public fun borrow<Element>(self: &Option<Element>): &Element {
        assert!(self.is_some(), EOPTION_NOT_SET);
        self.vec.borrow(0)
    }

    public fun borrow_with_default<Element>(self: &Option<Element>, default_ref: &Element): &Element {
        if (self.is_some()) self.vec.borrow(0) else default_ref
    }

    public fun get_with_default<Element: copy + drop>(self: &Option<Element>, default: Element): Element {
        if (self.is_some()) *self.vec.borrow(0) else default
    }

    public fun borrow_mut<Element>(self: &mut Option<Element>): &mut Element {
        assert!(self.is_some(), EOPTION_NOT_SET);
        self.vec.borrow_mut(0)
    }

    /// Puts `e` into an empty option.
    public fun fill<Element>(self: &mut Option<Element>, e: Element) {
        assert!(self.is_none(), EOPTION_IS_SET);
        self.vec.push_back(e)
    }

    /// Takes the value out and leaves the option empty.
    public fun extract<Element>(self: &mut Option<Element>): Element {
        assert!(self.is_some(), EOPTION_NOT_SET);
        self.vec.pop_back()
    }

    /// Puts `e` in the place of the value, which is given back.
    public fun swap<Element>(self: &mut Option<Element>, e: Element): Element {
        let old = self.extract();
        self.vec.push_back(e);
        old
    }

    /// As `swap`, but the option may be empty.
    public fun swap_or_fill<Element>(self: &mut Option<Element>, e: Element): Option<Element> {
        let old = if (self.is_some()) some(self.vec.pop_back()) else none();
        self.vec.push_back(e);
        old
    }

    public fun destroy_with_default<Element: drop>(self: Option<Element>, default: Element): Element {
        if (self.is_some()) self.destroy_some() else default
    }

    public fun destroy_some<Element>(self: Option<Element>): Element {
        assert!(self.is_some(), EOPTION_NOT_SET);
        let Option { vec } = self;
        let e = vec.pop_back();
        vec.destroy_empty();
        e
    }

    public fun destroy_none<Element>(self: Option<Element>) {
        assert!(self.is_none(), EOPTION_IS_SET);
        let Option { vec } = self;
        vec.destroy_empty()
    }

    public fun to_vec<Element>(self: Option<Element>): vector<Element> {
        let Option { vec } = self;
        vec
    }

    public inline fun for_each<Element>(self: Option<Element>, f: |Element|) {
        if (self.is_some()) f(self.destroy_some()) else self.destroy_none()
    }

    public inline fun for_each_ref<Element>(self: &Option<Element>, f: |&Element|) {
        if (self.is_some()) f(self.borrow())
    }

    public inline fun for_each_mut<Element>(self: &mut Option<Element>, f: |&mut Element|) {
        if (self.is_some()) f(self.borrow_mut())
    }

    public inline fun map<Element, Other>(self: Option<Element>, f: |Element| Other): Option<Other> {
        if (self.is_some()) some(f(self.destroy_some()))
        else {
            self.destroy_none();
            none()
        }
    }

    public inline fun map_ref<Element, Other>(self: &Option<Element>, f: |&Element| Other): Option<Other> {
        if (self.is_some()) some(f(self.borrow())) else none()
    }

    public inline fun any<Element>(self: &Option<Element>, p: |&Element| bool): bool {
        self.is_some() && p(self.borrow())
    }
}
