"""Which questions seat a social specialist beside the usual panel: questions that the samples were not chosen by."""

from __future__ import annotations

from consilience.agents import Routing
from consilience.agents.specialists import PLAIN_QUESTIONS, SOCIAL
from consilience.graphs.seating import likeness_by

from consilience.models.embedder import text_embedder

ABOUT_PEOPLE = {
    "prosody": (
        "Is the caller getting impatient?",
        "Klingt er erleichtert?",
        "Does her voice tremble when she names the price?",
        "Hesita el testigo antes de contestar?",
        "Est-ce que le client est content ?",
        "Parla con entusiasmo?",
        "Mówi szybko czy powoli?",
        "他的语气严肃吗?",
    ),
    "face": (
        "Is the baby crying or laughing?",
        "Blickt sie zur Seite?",
        "¿Sonríe la niña?",
        "Does anyone in the photo look surprised?",
        "Le garçon a-t-il les yeux ouverts ?",
        "Is the driver looking at the road?",
        "Sembra triste la donna?",
    ),
    "pose": (
        "Is the woman kneeling?",
        "Hebt jemand den Arm?",
        "Qui montre la porte du doigt ?",
        "Are they shaking hands?",
        "¿Cruza los brazos el hombre?",
        "Is anyone lying on the floor?",
        "Who is clapping?",
    ),
}

# Half of them with a word that is also one for moods, faces or bodies.
PLAIN = (
    "What did she say about the delivery?",
    "How fast is the new train?",
    "Wer spricht zuerst?",
    "Which hand holds the key?",
    "How many people are smiling on the poster?",
    "What is the mood board made of?",
    "Wann sitzt der Rat wieder?",
    "Where do I stand in the queue?",
    "Is the shop open on Sunday?",
    "Who raised the price?",
    "What is the standing charge?",
    "When does the expression expire?",
    "Combien coûte la pose du carrelage ?",
    "What is the loudest animal according to the text?",
    "Who is sitting in seat 14?",
    "Is the door open or closed?",
    "Does the contract end in May?",
    "Are dogs allowed?",
    "Was sagt der Sprecher über den Bus?",
    "How does the story end?",
    "¿Cuándo empieza la reunión?",
    "Is the report signed?",
    "Who feels responsible for the archive, according to the minutes?",
    "Does the table list the prices?",
)


def main() -> None:
    """Measures and prints."""
    likeness = likeness_by(text_embedder(2))

    def joining(question: str) -> set[str]:
        joined: set[str] = set()
        for expert in SOCIAL:
            scores = likeness(question, (*expert.asks, *PLAIN_QUESTIONS))
            own, plain = max(scores[: len(expert.asks)]), max(scores[len(expert.asks) :])
            joined |= {expert.name} if own - plain >= Routing().margin else set()
        return joined

    asked = [(question, name) for name, questions in ABOUT_PEOPLE.items() for question in questions]
    missed = [question for question, name in asked if name not in joining(question)]
    surplus = {question: found for question in PLAIN if (found := joining(question))}
    print(f"About people: {len(asked) - len(missed)} of {len(asked)} seat who sees that. Missed: {'; '.join(missed)}")
    print(f"Plain: {len(surplus)} of {len(PLAIN)} seat somebody. They are:")
    for question, found in surplus.items():
        print(f"  {question} {', '.join(sorted(found))}")


if __name__ == "__main__":
    main()
