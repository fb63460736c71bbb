"""What another system may send in files: each row read, checked, and given its type."""
