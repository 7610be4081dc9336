"""Records in the formats that other programs read and write."""
