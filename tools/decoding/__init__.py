"""How media are opened: sound, frames, pictures and pages, for every encoder alike."""
