"""What `doctor` looks at: each check stands alone, changes nothing, and tells what it found with what to type."""
