"""Networks for other programs: their formats, their objects, and C; and back."""
