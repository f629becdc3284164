"""What may be taken in: times, sizes and numbers, the same for every way in (`receive`) and for `route`."""
