"""Words that numbers, times and states are told with, in English, German, French and Spanish. Data, all folded."""

from __future__ import annotations

from collections.abc import Mapping

__all__ = [
    "AFTERNOON",
    "CHANGES",
    "CURRENCIES",
    "FUNCTION_WORDS",
    "GENERIC",
    "LABELS",
    "LANGUAGES",
    "LIGHT_WORDS",
    "MONTHS",
    "MORNING",
    "NEGATIONS",
    "STATES",
    "UNITS",
    "WEEKDAYS",
]

LANGUAGES = ("en", "de", "fr", "es")

FUNCTION_WORDS: Mapping[str, frozenset[str]] = {
    "en": frozenset(
        "a an and are as at be been but by can do for from had has have he her his i if in into is it its my no not of "
        "on or our out she so that the their them there they this to up was we were what will with would you your "
        "than then these those who which when where how all any some just about over after before until off us me him "
        "am did does could should may might must one's after each every only".split()
    ),
    "de": frozenset(
        "der die das den dem des ein eine einer einem einen eines und oder aber ist sind war wird werden am an auf aus "
        "bei bis im in ins mit nach von vom vor zu zum zur um für über unter es er sie wir ihr ich nicht kein keine "
        "dass als wie wenn auch nur noch man sich hat haben kann uns ihnen euch dieser diese dieses jeden jede "
        "ab".split()
    ),
    "fr": frozenset(
        "le la les l un une des du de d et ou mais est sont était sera en au aux à dans par pour sur sous avec sans ce "
        "cet cette ces il elle on nous vous ils je ne pas que qu qui se s son sa ses plus c'est c y n j a".split()
    ),
    "es": frozenset(
        "el la los las un una unos unas de del y o pero es son era será en a al por para con sin sobre este esta estos "
        "estas que se su sus no lo le les nos yo él ella hay muy más como ha".split()
    ),
}

# Words that say nothing about what a number is of, though they are no function words.
LIGHT_WORDS = frozenset(
    "take takes make makes put puts get gets use nehmen nimm machen macht prenez faites haga tome "
    "please come now instead today tonight again also still only leave leaves leaving go goes going start starts "
    "begin begins place see know remember say said tell told think need needs new old very well good hello hi "
    "morning evening afternoon night noon week day days o'clock oclock time mr mrs ms dr first last next "
    "attention sorry listen welcome dear thank thanks yes okay change changed moved move "
    "bitte jetzt heute morgen statt wieder beginnt fängt kommt kommen denken daran diesmal uhr hallo guten tag abend "
    "nächste nächster nächsten wochentag achtung danke "
    "merci maintenant aujourd'hui hui aujourd commence attention soir matin bonjour heure heures voilà "
    "ahora hoy empieza comienza atención gracias tarde mañana noche favor buenos días hola hora".split()
)

# Sorts of things: sharing one of them makes two lines alike, and not yet about the same.
GENERIC = frozenset(
    "train trains bus flight flights exam exams test appointment meeting event shop store service passenger passengers "
    "departure departures arrival arrivals price prices cost costs menu plan schedule ticket tickets school street "
    "office people person place recipe oven bake baking weight weighs weigh opening hours month january february july "
    "zug züge reisende termin termine preis kosten kostet abfahrt ankunft fahrplan plan laden geschäft fährt straße "
    "train voyageurs rendez vous prix coûte départ départs arrivée magasin rue examen "
    "tren viajeros cita precio cuesta salida salidas llegada tienda calle examen horario".split()
)

# They announce that something known has become different.
CHANGES = frozenset(
    "now instead change changed changes moved move new correction corrected actually longer "
    "jetzt statt stattdessen geändert änderung verlegt neu nunmehr korrektur maintenant changement modifié déplacé "
    "nouveau désormais ahora cambio cambiado nuevo corrección".split()
)

NEGATIONS = (
    r"(?:\bnot(?: on| at| in| from)?|\bno longer|\binstead of|\brather than|\bnicht(?: mehr)?(?: auf| um| von)?|"
    r"\bstatt|\banstelle von|\bau lieu de?|\bpas|\ben vez del?|\bno es|\bno)"
)

WEEKDAYS: Mapping[str, int] = {
    name: number
    for names in (
        "monday tuesday wednesday thursday friday saturday sunday",
        "montag dienstag mittwoch donnerstag freitag samstag sonntag",
        "lundi mardi mercredi jeudi vendredi samedi dimanche",
        "lunes martes miércoles jueves viernes sábado domingo",
        "mondays tuesdays wednesdays thursdays fridays saturdays sundays",
        "montags dienstags mittwochs donnerstags freitags samstags sonntags",
    )
    for number, name in enumerate(names.split())
} | {"sonnabend": 5}

MONTHS: Mapping[str, int] = {
    name: number
    for names in (
        "january february march april may june july august september october november december",
        "jan feb mar apr may jun jul aug sep oct nov dec",
        "januar februar märz april mai juni juli august september oktober november dezember",
        "janvier février mars avril mai juin juillet août septembre octobre novembre décembre",
        "enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre",
    )
    for number, name in enumerate(names.split(), 1)
}

CURRENCIES: Mapping[str, str] = {
    **dict.fromkeys("€ eur euro euros".split(), "EUR"),
    **dict.fromkeys("$ usd dollar dollars dólares dólar".split(), "USD"),
    **dict.fromkeys("£ gbp pound pounds pfund quid livres libras".split(), "GBP"),
    **dict.fromkeys("chf franken francs francos".split(), "CHF"),
    **dict.fromkeys("cent cents ct centimes céntimos centimos pence".split(), "cent"),
}

# word: (dimension, how many of the dimension's base unit)
UNITS: Mapping[str, tuple[str, float]] = {
    **dict.fromkeys("g gram grams gramm grammes gramme gramos gramo".split(), ("mass", 1)),
    **dict.fromkeys("kg kilo kilos kilogram kilograms kilogramm kilogrammes kilogramos".split(), ("mass", 1000)),
    **dict.fromkeys("mm millimetre millimetres millimeter millimeters".split(), ("length", 0.001)),
    **dict.fromkeys(
        "cm centimetre centimetres centimeter centimeters zentimeter centímetros".split(), ("length", 0.01)
    ),
    **dict.fromkeys("m metre metres meter meters mètre mètres metros metro".split(), ("length", 1)),
    **dict.fromkeys("km kilometre kilometres kilometer kilometers kilomètres kilómetros".split(), ("length", 1000)),
    **dict.fromkeys("mile miles meile meilen".split(), ("length", 1609.344)),
    **dict.fromkeys("ml millilitre millilitres milliliter millilitros".split(), ("volume", 0.001)),
    **dict.fromkeys("l litre litres liter liters litro litros".split(), ("volume", 1)),
    **dict.fromkeys("s sec second seconds sekunde sekunden seconde secondes segundo segundos".split(), ("duration", 1)),
    **dict.fromkeys("min mins minute minutes minuten minutos minuto".split(), ("duration", 60)),
    **dict.fromkeys("hour hours hr hrs stunde stunden hora horas heure heures h".split(), ("duration", 3600)),
    **dict.fromkeys("day days tag tage tagen jour jours día días".split(), ("duration", 86400)),
    **dict.fromkeys("week weeks woche wochen semaine semaines semana semanas".split(), ("duration", 604800)),
    **dict.fromkeys("month months monat monate monaten mois mes meses".split(), ("duration", 2629800)),
    **dict.fromkeys("year years jahr jahre jahren an ans années año años".split(), ("duration", 31557600)),
    **dict.fromkeys("% percent prozent pourcent".split(), ("share", 1)),
    **dict.fromkeys("°c °f ° degree degrees grad degrés degré grados grado".split(), ("temperature", 1)),
}

# Nouns that a number is a name behind, by one name in all languages.
LABELS: Mapping[str, str] = {
    **dict.fromkeys("platform gleis quai voie andén anden track vía".split(), "platform"),
    **dict.fromkeys("room zimmer raum saal salle chambre sala aula habitación".split(), "room"),
    **dict.fromkeys("floor stock stockwerk etage étage piso planta storey".split(), "floor"),
    **dict.fromkeys("gate flugsteig porte puerta".split(), "gate"),
    **dict.fromkeys("line linie ligne línea".split(), "line"),
    **dict.fromkeys("bus buses autobus autobús".split(), "bus"),
    **dict.fromkeys("page seite página".split(), "page"),
    **dict.fromkeys("seat platz sitz siège asiento place".split(), "seat"),
    **dict.fromkeys("table tisch mesa".split(), "table"),
    **dict.fromkeys("number nummer numéro número no nr nº".split(), "number"),
    **dict.fromkeys("stage bühne scène escenario".split(), "stage"),
    **dict.fromkeys("exit ausfahrt ausgang sortie salida".split(), "exit"),
    **dict.fromkeys("counter schalter guichet ventanilla".split(), "counter"),
    **dict.fromkeys("chapter kapitel chapitre capítulo".split(), "chapter"),
}

MORNING = r"(?:a\.?m\b\.?|(?:in the|this|tomorrow) morning|morgens|am morgen|vormittags|früh\b|du matin|de la mañana)"
AFTERNOON = (
    r"(?:p\.?m\b\.?|(?:in the|this) (?:afternoon|evening)|tonight|at night|nachmittags|abends|am (?:nachmittag|abend)|"
    r"de l'après-midi|du soir|ce soir|de la (?:tarde|noche))"
)

# dimension: value: pattern
STATES: Mapping[str, Mapping[str, str]] = {
    "access": {
        "open": r"\b(?:open|geöffnet|ouverte?s?|abiert[oa]s?)\b(?! (?:at|from|from|until|till|ab|à|a las))",
        "closed": r"\b(?:closed|geschlossen|fermée?s?|cerrad[oa]s?)\b",
    },
    "running": {
        "as planned": r"\b(?:on time|on schedule|as planned|pünktlich|planmäßig|"
        r"à l'heure|comme prévu|puntual|a tiempo)\b",
        "cancelled": r"\b(?:cancell?ed|called off|fällt aus|abgesagt|entfällt|annulée?s?|cancelad[oa]s?)\b",
    },
    "supply": {
        "sold out": r"\b(?:sold out|ausverkauft|épuisée?s?|agotad[oa]s?)\b",
        "available": r"\b(?:available|verfügbar|erhältlich|disponibles?)\b",
    },
    "side": {
        "left": r"\b(?:(?:on|to) the left|turn left|left[- ]hand|links|à gauche|a la izquierda)\b",
        "right": r"\b(?:(?:on|to) the right|turn right|right[- ]hand|rechts|à droite|a la derecha)\b",
    },
}
