"""Pairs of a said and a shown line that agree, conflict, or have nothing to do with each other.

Each topic has wordings of two kinds, `tuning` and `held_out`, that share neither a sentence nor a layout; a pair draws
from one kind only. Values are drawn with a fixed seed.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

Relation = Literal["agree", "conflict", "unrelated"]
Split = Literal["tuning", "held_out"]


@dataclass(frozen=True)
class Topic:
    """Things of one kind that have one value each."""

    name: str
    language: str
    subjects: tuple[str, ...]
    values: tuple[tuple[str, str], ...]
    """The same value as it is said, and as it is shown."""
    said: dict[Split, tuple[str, ...]]
    shown: dict[Split, tuple[str, ...]]
    shown_language: str = ""


@dataclass(frozen=True)
class Pair:
    """One line heard, one line seen."""

    topic: str
    split: Split
    relation: Relation
    said: str
    shown: str
    language: str
    shown_language: str


def pairs(split: Split, each: int = 3, seed: int = 20) -> Iterator[Pair]:
    """`each` pairs a relation and topic. Unrelated ones differ in subject, or are of two topics."""
    draw = random.Random(f"{seed} {split}")
    for number, topic in enumerate(TOPICS):
        for turn in range(each):
            yield _pair(draw, topic, split, "agree", turn)
            yield _pair(draw, topic, split, "conflict", turn)
            yield _unrelated(draw, topic, TOPICS[number - 1], split, turn)


def _pair(draw: random.Random, topic: Topic, split: Split, relation: Relation, turn: int) -> Pair:
    subject = draw.choice(topic.subjects)
    one, other = draw.sample(topic.values, 2)
    seen = one if relation == "agree" else other
    said = _take(topic.said[split], turn).format(s=subject, v=one[0])
    shown = _take(topic.shown[split], turn + draw.randrange(2)).format(s=subject, v=seen[1])
    return Pair(topic.name, split, relation, said, shown, topic.language, topic.shown_language or topic.language)


def _unrelated(draw: random.Random, topic: Topic, neighbour: Topic, split: Split, turn: int) -> Pair:
    subject, another = draw.sample(topic.subjects, 2)
    one, other = draw.sample(topic.values, 2)
    said = _take(topic.said[split], turn).format(s=subject, v=one[0])
    if turn % 3 == 2:  # of another topic, whatever it is about
        shown = _take(neighbour.shown[split], turn).format(
            s=draw.choice(neighbour.subjects), v=other_value(draw, neighbour)
        )
        language = neighbour.shown_language or neighbour.language
    else:
        shown = _take(topic.shown[split], turn).format(s=another, v=other[1])
        language = topic.shown_language or topic.language
    return Pair(topic.name, split, "unrelated", said, shown, topic.language, language)


def other_value(draw: random.Random, topic: Topic) -> str:
    """How a value of the topic is shown."""
    return draw.choice(topic.values)[1]


def _take(wordings: Sequence[str], turn: int) -> str:
    return wordings[turn % len(wordings)]


_EN = "one two three four five six seven eight nine ten eleven twelve".split()
_DE = "eins zwei drei vier fünf sechs sieben acht neun zehn elf zwölf".split()
_FR = "un deux trois quatre cinq six sept huit neuf dix onze douze".split()
_ES = "uno dos tres cuatro cinco seis siete ocho nueve diez once doce".split()


def _digits(words: Sequence[str], first: int = 2, last: int = 12) -> tuple[tuple[str, str], ...]:
    return tuple((words[n - 1], str(n)) for n in range(first, last + 1))


_CITIES = ("York", "Leeds", "Oxford", "Bristol", "Derby")
_STAEDTE = ("Bremen", "Leipzig", "Kassel", "Ulm", "Hagen")
_VILLES = ("Nantes", "Lille", "Dijon", "Rennes")
_CIUDADES = ("Toledo", "Burgos", "Huelva", "Lugo")

TOPICS: tuple[Topic, ...] = (
    Topic(
        "platform",
        "en",
        _CITIES,
        _digits(_EN),
        {
            "tuning": ("The train to {s} will now leave from platform {v}.", "Passengers to {s}, go to platform {v}."),
            "held_out": ("All aboard for {s}, that is platform {v} today.", "The {s} service departs at platform {v}."),
        },
        {
            "tuning": ("{s}  Platform {v}", "Platform {v}: {s}"),
            "held_out": ("DEPARTURES TO {s}: PLATFORM {v}", "{s} express, platform {v}, first class in front"),
        },
    ),
    Topic(
        "meeting time",
        "en",
        ("book club", "parents' evening", "budget meeting", "choir rehearsal", "yoga class"),
        (
            ("half past six", "6:30 pm"),
            ("eleven o'clock", "11:00"),
            ("a quarter to eight", "7:45"),
            ("nine fifteen", "9:15"),
            ("ten forty", "10:40"),
            ("noon", "12:00"),
        ),
        {
            "tuning": ("The {s} starts at {v}.", "Remember that the {s} begins at {v} this week."),
            "held_out": ("We will see you at {v} for the {s}.", "At {v} there is the {s}, do come."),
        },
        {
            "tuning": ("{s}: {v}", "{s}, starts {v}"),
            "held_out": ("Today at {v}: {s}", "{v} {s} (upper room)"),
        },
    ),
    Topic(
        "price",
        "en",
        ("tomato soup", "fish pie", "apple juice", "garden salad", "cheese toast"),
        (
            ("five euros twenty", "5.20 euro"),
            ("four fifty euros", "€4.50"),
            ("nine euros eighty", "9,80 €"),
            ("seven euros", "7.00 EUR"),
            ("twelve euros", "12 euro"),
        ),
        {
            "tuning": ("The {s} costs {v} now.", "For the {s} you pay {v}."),
            "held_out": ("We charge {v} for one {s}.", "{v} is what the {s} comes to."),
        },
        {
            "tuning": ("{s}  {v}", "Today: {s} {v}"),
            "held_out": ("{v}  {s}", "MENU: {s}, only {v}"),
        },
    ),
    Topic(
        "exam room",
        "en",
        ("biology", "history", "physics", "geography", "Latin"),
        _digits(_EN),
        {
            "tuning": ("The {s} exam will be in room {v}.", "For the {s} exam please go to room {v}."),
            "held_out": ("Whoever writes the {s} exam sits in room {v}.", "Room {v} has the {s} exam."),
        },
        {
            "tuning": ("{s}: Monday, room {v}", "{s} exam - room {v}"),
            "held_out": ("ROOM {v} / {s} EXAM", "{s} (second year), Room {v}"),
        },
    ),
    Topic(
        "appointment day",
        "en",
        ("dentist", "hairdresser", "optician", "physiotherapist"),
        (("Monday", "Monday"), ("Tuesday", "Tuesday"), ("Thursday", "Thursday"), ("Friday", "Friday")),
        {
            "tuning": (
                "Your appointment with the {s} is on {v}.",
                "The {s} can see you on {v}, your appointment moved.",
            ),
            "held_out": ("On {v} you have an appointment at the {s}.", "We put your {s} appointment on {v}."),
        },
        {
            "tuning": ("{s} appointment: {v}", "{s}: appointment on {v}"),
            "held_out": ("APPOINTMENT {s} {v}", "{v}: appointment at the {s}"),
        },
    ),
    Topic(
        "date",
        "en",
        ("flea market", "school play", "town run", "summer fair"),
        (
            ("the third of March", "3 March"),
            ("May the twelfth", "12 May"),
            ("the twenty first of June", "June 21"),
            ("the ninth of October", "9 October"),
        ),
        {
            "tuning": ("The {s} takes place on {v}.", "Save {v} for the {s}."),
            "held_out": ("It is {v} that the {s} opens its doors.", "This year's {s} falls on {v}."),
        },
        {
            "tuning": ("{s}, {v}", "{v}: {s}"),
            "held_out": ("BIG {s} - {v} - FREE ENTRY", "Come to the {s} on {v}"),
        },
    ),
    Topic(
        "oven",
        "en",
        ("apple cake", "rye bread", "lasagne", "plum tart"),
        (
            ("forty minutes", "40 min"),
            ("fifty five minutes", "55 minutes"),
            ("half an hour", "30 minutes"),
            ("one hour", "60 min"),
        ),
        {
            "tuning": ("Leave the {s} in the oven for {v}.", "Bake the {s} for {v}."),
            "held_out": ("The {s} needs {v} of baking.", "After {v} the {s} comes out of the oven."),
        },
        {
            "tuning": ("{s}: bake {v}", "{s}, {v} in the oven"),
            "held_out": ("{s} / baking time {v}", "Baking: {v} for the {s}"),
        },
    ),
    Topic(
        "ingredients",
        "en",
        ("pancakes", "pudding", "omelette", "sponge cake"),
        tuple((f"{word} eggs", f"{number} eggs") for word, number in _digits(_EN, 2, 8)),
        {
            "tuning": ("You need {v} for the {s}.", "Take {v} to make the {s}."),
            "held_out": ("Grandmother's {s} had {v} in it.", "Into the {s} go {v}."),
        },
        {
            "tuning": ("{s}: {v}, flour, milk", "{s} ({v})"),
            "held_out": ("Recipe for {s}: milk, sugar, {v}", "{v} - flour - butter: {s}"),
        },
    ),
    Topic(
        "weight",
        "en",
        ("parcel", "suitcase", "rucksack", "wardrobe"),
        (
            ("two kilos", "2000 g"),
            ("five kilograms", "5 kg"),
            ("twelve kilos", "12 kg"),
            ("five hundred grams", "0.5 kg"),
        ),
        {
            "tuning": ("Your {s} weighs {v}.", "The {s} has a weight of {v}."),
            "held_out": ("We put the {s} on the scales: {v}.", "{v}, that is the weight of the {s}."),
        },
        {
            "tuning": ("{s}: {v}", "Weight of {s}: {v}"),
            "held_out": ("{s} / NET WEIGHT {v}", "{v} ({s})"),
        },
    ),
    Topic(
        "sales",
        "en",
        ("North", "South", "East", "West"),
        (
            ("one hundred and twenty", "120"),
            ("ninety five", "95"),
            ("eighty", "80"),
            ("one hundred and forty", "140"),
            ("two thousand", "2000"),
        ),
        {
            "tuning": ("In January the shop in the {s} had sales of {v}.", "January sales of the {s} shop were {v}."),
            "held_out": ("The {s} shop reports sales of {v} for January.", "For January, {s}: shop sales {v}."),
        },
        {
            "tuning": ("month: January; shop: {s}; sales: {v}", "shop: {s}; sales: {v}; month: January"),
            "held_out": (
                "sales: {v}; shop: {s}; month: January",
                "shop: {s}; month: January; manager: Lee; sales: {v}",
            ),
        },
    ),
    Topic(
        "flight gate",
        "en",
        ("Lisbon", "Vienna", "Athens", "Dublin"),
        (("B twelve", "B12"), ("A four", "A4"), ("C twenty", "C20"), ("B seven", "B7")),
        {
            "tuning": ("The flight to {s} boards at gate {v}.", "Gate change: flight to {s}, gate {v}."),
            "held_out": ("Last call, {s}, gate {v}.", "Would those flying to {s} come to gate {v}."),
        },
        {
            "tuning": ("{s}  Gate {v}", "Gate {v}  {s}"),
            "held_out": ("BOARDING {s} GATE {v}", "Flight to {s} | on time | Gate {v}"),
        },
    ),
    Topic(
        "opening",
        "en",
        ("library", "swimming pool", "pharmacy", "museum"),
        (("closed", "CLOSED"), ("open", "OPEN")),
        {
            "tuning": ("The {s} is {v} today.", "Sorry to say the {s} is {v} on public holidays."),
            "held_out": ("I hear the {s} is {v} again.", "They told me the {s} was {v}."),
        },
        {"tuning": ("{s}: {v}", "The {s} is {v}"), "held_out": ("{v} - {s}", "{s} now {v}")},
    ),
    Topic(
        "cancelled",
        "en",
        ("ferry", "concert", "guided tour", "football match"),
        (("cancelled", "CANCELLED"), ("on time", "on time")),
        {
            "tuning": ("The {s} is {v}.", "Listen, the {s} is {v} after all."),
            "held_out": ("As for the {s}, it is {v}.", "We can tell you that the {s} is {v}."),
        },
        {"tuning": ("{s}: {v}", "{s} {v}"), "held_out": ("{s} - {v} -", "NOTICE: {s} {v}")},
    ),
    Topic(
        "Gleis",
        "de",
        _STAEDTE,
        _digits(_DE),
        {
            "tuning": ("Der Zug nach {s} fährt heute von Gleis {v}.", "Reisende nach {s}, bitte zu Gleis {v}."),
            "held_out": ("Nach {s} geht es auf Gleis {v} weiter.", "Auf Gleis {v} steht der Zug nach {s}."),
        },
        {
            "tuning": ("{s}  Gleis {v}", "Gleis {v} {s}"),
            "held_out": ("ABFAHRT {s}, GLEIS {v}", "ICE {s} | Gleis {v} | pünktlich"),
        },
    ),
    Topic(
        "Uhrzeit",
        "de",
        ("Elternabend", "Chorprobe", "Sprechstunde", "Vorlesung"),
        (
            ("halb sieben", "18:30 Uhr"),
            ("elf Uhr", "11 Uhr"),
            ("Viertel nach acht", "8.15 Uhr"),
            ("neun Uhr dreißig", "9:30"),
            ("zwanzig Uhr", "20 Uhr"),
        ),
        {
            "tuning": ("Der Termin {s} beginnt um {v}.", "Bitte denken Sie daran: {s} ist um {v}."),
            "held_out": ("Um {v} fängt {s} an.", "Wir sehen uns zur {s} um {v}."),
        },
        {"tuning": ("{s}: {v}", "{s} ab {v}"), "held_out": ("{v} {s}", "Heute {v}: {s} in der Aula")},
    ),
    Topic(
        "Preis",
        "de",
        ("Apfelkuchen", "Linsensuppe", "Bratwurst", "Milchreis"),
        (
            ("vier Euro fünfzig", "4,50 €"),
            ("drei Euro", "3,00 Euro"),
            ("sieben Euro zwanzig", "7,20 EUR"),
            ("zwölf Euro", "12 €"),
        ),
        {
            "tuning": ("{s} kostet jetzt {v}.", "Für {s} zahlen Sie {v}."),
            "held_out": ("{v} nehmen wir für {s}.", "Ein Teller {s} macht {v}."),
        },
        {"tuning": ("{s} {v}", "{s}: {v}"), "held_out": ("{v} ... {s}", "Tageskarte: {s}, {v}")},
    ),
    Topic(
        "Wochentag",
        "de",
        ("Müllabfuhr", "Wochenmarkt", "Schwimmkurs", "Blutspende"),
        (("Montag", "Montag"), ("Mittwoch", "Mittwoch"), ("Donnerstag", "Donnerstag"), ("Samstag", "Samstag")),
        {
            "tuning": ("{s} ist am {v}.", "Die nächste {s} ist diesmal am {v}."),
            "held_out": ("Am {v} kommt {s}.", "Es bleibt bei {v} für {s}."),
        },
        {"tuning": ("{s}: {v}", "{s} am {v}"), "held_out": ("{v}: {s}", "{s} - jeden {v}")},
    ),
    Topic(
        "quai",
        "fr",
        _VILLES,
        _digits(_FR),
        {
            "tuning": ("Le train pour {s} partira du quai {v}.", "Les voyageurs pour {s} vont au quai {v}."),
            "held_out": ("C'est le quai {v} pour le train de {s}.", "Direction {s}, montez au quai {v}."),
        },
        {"tuning": ("{s}  Quai {v}", "Quai {v} {s}"), "held_out": ("TGV {s} - QUAI {v}", "{s} (direct), quai {v}")},
    ),
    Topic(
        "heure",
        "fr",
        ("concert", "réunion", "visite", "séance"),
        (
            ("dix-huit heures trente", "18h30"),
            ("onze heures", "11 h"),
            ("midi", "12h00"),
            ("neuf heures et quart", "9h15"),
            ("vingt heures", "20:00"),
        ),
        {
            "tuning": ("Le rendez-vous {s} commence à {v}.", "Attention, {s} à {v} ce soir."),
            "held_out": ("À {v} commence {s}.", "On se retrouve à {v} pour {s}."),
        },
        {"tuning": ("{s} : {v}", "{s} à {v}"), "held_out": ("{v} {s}", "Aujourd'hui, {v}, {s}")},
    ),
    Topic(
        "prix",
        "fr",
        ("croissant", "quiche", "limonade", "tartine"),
        (
            ("quatre euros cinquante", "4,50 €"),
            ("deux euros", "2 euros"),
            ("sept euros vingt", "7,20 EUR"),
            ("dix euros", "10,00 €"),
        ),
        {
            "tuning": ("Une {s} coûte {v}.", "Pour la {s}, c'est {v}."),
            "held_out": ("Vous payez {v} la {s}.", "{v}, voilà le prix d'une {s}."),
        },
        {"tuning": ("{s} {v}", "{s} : {v}"), "held_out": ("{v} {s}", "CARTE - {s} - {v}")},
    ),
    Topic(
        "andén",
        "es",
        _CIUDADES,
        _digits(_ES),
        {
            "tuning": ("El tren a {s} sale del andén {v}.", "Viajeros a {s}, pasen al andén {v}."),
            "held_out": ("En el andén {v} espera el tren de {s}.", "Para {s}, andén {v}, por favor."),
        },
        {
            "tuning": ("{s}  Andén {v}", "Andén {v}: {s}"),
            "held_out": ("SALIDAS {s} ANDÉN {v}", "{s} (directo) andén {v}"),
        },
    ),
    Topic(
        "hora",
        "es",
        ("concierto", "reunión", "consulta", "partido"),
        (
            ("las seis y media", "6:30"),
            ("las once", "11:00"),
            ("las ocho y cuarto", "8:15"),
            ("las nueve menos cuarto", "8:45"),
            ("mediodía", "12:00"),
        ),
        {
            "tuning": ("La cita, {s}, empieza a {v}.", "El horario del {s} es a {v}."),
            "held_out": ("A {v} comienza {s}.", "Nos vemos a {v} en {s}."),
        },
        {"tuning": ("{s}: {v}", "{s} a las {v}"), "held_out": ("{v} {s}", "Hoy a las {v}, {s}")},
    ),
    Topic(
        "precio",
        "es",
        ("tortilla", "paella", "ensalada", "horchata"),
        (
            ("cuatro euros cincuenta", "4,50 €"),
            ("tres euros", "3 euros"),
            ("ocho euros veinte", "8,20 EUR"),
            ("quince euros", "15 €"),
        ),
        {
            "tuning": ("La {s} cuesta {v}.", "Por la {s} se pagan {v}."),
            "held_out": ("Son {v} por una {s}.", "{v} vale la {s} hoy."),
        },
        {"tuning": ("{s} {v}", "{s}: {v}"), "held_out": ("{v} {s}", "MENÚ {s} {v}")},
    ),
    Topic(
        "platform, German board",
        "en",
        _STAEDTE,
        _digits(_EN),
        {
            "tuning": ("The train to {s} will now leave from platform {v}.", "Passengers to {s}, go to platform {v}."),
            "held_out": ("All aboard for {s}, that is platform {v} today.", "The {s} service departs at platform {v}."),
        },
        {
            "tuning": ("{s}  Gleis {v}", "Gleis {v} nach {s}"),
            "held_out": ("ABFAHRT {s}, GLEIS {v}", "Zug nach {s} | Gleis {v} | pünktlich"),
        },
        shown_language="de",
    ),
)
