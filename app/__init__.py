"""The composition root and the HTTP edge: everything is built, wired and served here."""
