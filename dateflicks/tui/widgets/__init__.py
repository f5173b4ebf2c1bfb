"""Parts of screens that are drawn or typed into; each knows Textual and no service."""
