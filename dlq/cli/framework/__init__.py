"""How verbs are declared, called and reported, whatever they do."""
