"""Binary Canonical Serialization: the few primitives that the localnet writes and reads itself."""

from __future__ import annotations


class BcsError(ValueError):
    """The bytes are not the canonical form of what they should be."""


def uleb(number: int) -> bytes:
    """A length or variant index, seven bits a byte, least significant first."""
    if number < 0x80:
        return bytes((number,))
    out = bytearray()
    while number >= 0x80:
        out.append((number & 0x7F) | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


def u64(number: int) -> bytes:
    return number.to_bytes(8, "little")


def blob(data: bytes) -> bytes:
    """``vector<u8>``."""
    return uleb(len(data)) + data


def text(value: str) -> bytes:
    return blob(value.encode())


def flag(value: bool) -> bytes:
    return b"\x01" if value else b"\x00"


def option_text(value: str | None) -> bytes:
    return b"\x00" if value is None else b"\x01" + text(value)


def blobs(items: list[bytes] | tuple[bytes, ...]) -> bytes:
    """``vector<vector<u8>>``."""
    return uleb(len(items)) + b"".join(map(blob, items))


class Reader:
    """Reads one value after the other and refuses what is too short."""

    __slots__ = ("data", "pos")

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.pos = 0

    def take(self, count: int) -> bytes:
        end = self.pos + count
        if end > len(self.data):
            raise BcsError(f"{count} bytes were expected at offset {self.pos} of {len(self.data)}.")
        out = self.data[self.pos : end]
        self.pos = end
        return out

    def byte(self) -> int:
        return self.take(1)[0]

    def number(self, size: int) -> int:
        """An unsigned integer of ``size`` bytes."""
        return int.from_bytes(self.take(size), "little")

    def uleb(self) -> int:
        out = shift = 0
        while True:
            byte = self.byte()
            out |= (byte & 0x7F) << shift
            if byte < 0x80:
                if byte == 0 and shift:
                    raise BcsError("A length has a needless zero byte.")
                return out
            shift += 7
            if shift > 63:
                raise BcsError("A length has more than 64 bits.")

    def flag(self) -> bool:
        byte = self.byte()
        if byte > 1:
            raise BcsError(f"A bool must be 0 or 1, not {byte}.")
        return byte == 1

    def blob(self) -> bytes:
        return self.take(self.uleb())

    def text(self) -> str:
        try:
            return self.blob().decode()
        except UnicodeDecodeError as error:
            raise BcsError("A string is not UTF-8.") from error

    def blobs(self) -> list[bytes]:
        return [self.blob() for _ in range(self.uleb())]

    def end(self) -> None:
        """Refuse bytes after the last value."""
        if self.pos != len(self.data):
            raise BcsError(f"{len(self.data) - self.pos} bytes follow the end of the value.")
