"""HTTP: holdings, transfers and retirements."""
