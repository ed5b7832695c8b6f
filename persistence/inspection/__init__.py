"""What the stores say of themselves, for who looks for what is wrong with them."""
