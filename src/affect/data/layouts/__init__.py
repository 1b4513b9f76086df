"""How datasets lie on disk: a reader for each layout, behind one interface (`item.Layout`)."""
