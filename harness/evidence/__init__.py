"""What a case left to look at: gathered, laid out as a ladder, and written as text, picture, page and capture."""
