"""The demo: the market's main job on real data, from a signed reading to a certificate anyone can check."""
