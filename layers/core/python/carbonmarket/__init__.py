"""The domain of the carbon market: pure functions over immutable records.

Nothing here knows AWS, HTTP, the clock or the environment; what a function needs is passed to it.
"""
