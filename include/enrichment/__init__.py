"""What a text says about itself: its language, its entities, its injected instructions."""
