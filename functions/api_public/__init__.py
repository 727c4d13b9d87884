"""HTTP without a login: certificates, verification, reconciliation, the API's own description."""
