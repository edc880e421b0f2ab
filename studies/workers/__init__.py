"""What many workers cost and bring: leases, efficiency, kills, and a simulation of more workers than there are here."""
