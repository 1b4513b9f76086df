"""Who is drawn: bones, hair and skin, and what the muscles do."""
