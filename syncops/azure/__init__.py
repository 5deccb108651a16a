"""Azure plans by month: amounts come in, go out as a price or a charge, and are looked at until they are posted."""
