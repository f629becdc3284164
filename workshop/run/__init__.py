"""The supervisor: what `workshop up` leaves running, and the files that tell of it."""
