"""The store: rows into a journal, from the journal into a database, and the state at start out of both."""
