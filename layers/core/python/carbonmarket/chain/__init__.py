"""What the market says to its contracts and hears from them, without saying how it is sent."""
