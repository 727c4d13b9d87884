"""The chain's projection: a pure fold of transactions into records, and how it is advanced and rewound."""
