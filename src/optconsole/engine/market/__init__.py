"""The market as it is known here: dated facts, calendar, contracts, the instrument master and the quote board."""
