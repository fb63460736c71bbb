"""What is warned for in sentences as care staff write them, and how often that is right.

The sentences are made from templates and values, the same in every run. Personnummer have the serial numbers that
Skatteverket keeps for test persons, telephone numbers are from the series PTS keeps free for books and films.
"""

import random
import time
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path

import pytest

from backend.core.screening import certain, mask_out, probable
from tests.core.test_screening import luhn

TODAY = date(2026, 5, 19)
EACH = 250
Maker = Callable[[random.Random], str]

FIRST = [
    "Karin",
    "Mohamed",
    "Ingrid",
    "Lennart",
    "Fatima",
    "Svetlana",
    "Päivi",
    "Dragan",
    "Anna-Lisa",
    "Gösta",
    "Zahra",
    "Märta",
    "Tesfay",
    "Åke",
]
WORDY = ["Björn", "Stig", "Sten", "Hans", "Per", "Inga"]
SURNAMES = [
    "Andersson",
    "Lindqvist",
    "Hjalmarsson",
    "Korhonen",
    "Hodzic",
    "Berg",
    "Nguyen",
    "Ekström",
    "Warsame",
    "Kowalski",
    "Åberg",
    "Lund",
]
UNLISTED_FIRST = [
    "Xhevahire",
    "Thorvalda",
    "Ngozi",
    "Siiri-Maija",
    "Abeba",
    "Wojciech",
    "Oluwaseun",
    "Tindra",
]
UNLISTED_SURNAMES = ["Al-Rashid", "Fällmark", "Bjuhr", "Okonkwo", "Gammelgård", "Tschirner"]
STREETS = [
    "Storgatan",
    "Kungsvägen",
    "Östra Vallgatan",
    "S:t Olofs väg",
    "Ljungslingan",
    "Bagaregränd",
    "storgatan",
]


def person(rng: random.Random) -> str:
    """Twelve digits of a test person who is grown up."""
    nine = f"{rng.randint(25, 99):02}{rng.randint(1, 12):02}{rng.randint(1, 28):02}{rng.randint(980, 999)}"
    return f"19{nine}{luhn(nine)}"


def odd_number(rng: random.Random) -> str:
    """A number with a slip in it, or spelled as none is."""
    right = person(rng)
    slip = right[:-1] + str((int(right[-1]) + rng.randint(1, 9)) % 10)
    samordning = f"{slip[2:6]}{int(slip[6:8]) + 60}"
    return rng.choice(
        [
            f"{slip[:8]}-{slip[8:]}",
            f"{slip[2:8]}-{slip[8:]}",
            slip,
            f"{slip[2:8]} - {slip[8:]}",
            f"{slip[2:8]}\u2013{slip[8:]}",
            f"{slip[:8]} {slip[8:]}",
            f"{samordning}-{slip[8:]}",
            f"{right[2:8]}/{right[8:]}",
            f"{right[2:8]}.{right[8:]}",
            f"{right[:8]}_{right[8:]}",
            f"{right[2:8]}-XXXX",
            f"{right[:8]}-{right[8:10]}**",
            f"{right[:8]}xxxx",
            f"{right[2:8]}-{right[8:11]}",
            f"{slip[:4]}.{slip[4:6]}.{slip[6:8]}-{slip[8:]}",
            f"{right[2:7]}O-{right[8:]}" if right[7] == "0" else f"{right[2:8]}-98l{right[-1]}",
            f"pnr {slip[2:6]} {slip[6:8]} {slip[8:]}",
        ]
    )


def reserve_number(rng: random.Random) -> str:
    day = person(rng)[:8]
    digits = rng.randint(100, 999)
    return rng.choice(
        [
            f"{day}-K{digits}",
            f"{day}M{digits}",
            f"{day}-T{digits}",
            f"{day}-TF{digits % 90 + 10}",
            f"99{rng.randint(1990, 2025)}{rng.randint(10, 99)}-{rng.randint(1000, 9999)}",
            f"{int(day[:2]) + 3}{day[2:]}-AB{digits % 90 + 10}",
            f"reservnummer X{digits}-{digits}",
        ]
    )


def birth_date(rng: random.Random) -> str:
    day = person(rng)[:8]
    year, month, date_ = day[:4], day[4:6], day[6:]
    return rng.choice(
        [
            f"född {year}-{month}-{date_}",
            f"född den {int(date_)} mars {year}",
            f"f. {day[2:]}",
            f"f {int(date_)}/{int(month)}-{year[2:]}",
            f"född 2019-{month}-{date_}",
            day,
            f"{year}-{month}-{date_}",
            f"patient {day[2:]}",
            f"född: {int(date_)}/{int(month)} {year}",
            f"{int(date_)} augusti {year}",
        ]
    )


def name(rng: random.Random) -> str:
    first, surname = rng.choice(FIRST), rng.choice(SURNAMES)
    rare, rare_surname = rng.choice(UNLISTED_FIRST), rng.choice(UNLISTED_SURNAMES)
    return rng.choice(
        [
            f"{first} {surname}",
            f"{rng.choice(WORDY)} {surname}",
            f"{first} {rare_surname}",
            f"{first} {rng.choice('ABCKLM')}",
            first,
            f"{first}s anhöriga",
            f"fru {surname}",
            f"herr {rare_surname}",
            f"pat. {first}",
            f"patienten {rare}",
            f"dottern {rng.choice(WORDY)}",
            f"hennes son {rare}",
            f"{first[0]}. Andersson",
            f"{first.upper()} {surname.upper()}",
            f"{first.lower()} andersson",
            f"sjuksköterskan {first}",
        ]
    )


def phone(rng: random.Random) -> str:
    last = rng.randint(10, 99)
    return rng.choice(
        [
            f"070-174 06 {last}",
            f"07017406{last}",
            f"070 174 06 {last}",
            f"070-17406{last}",
            f"+46 70 174 06 {last}",
            f"00467017406{last}",
            f"dottern på 031-390 06 {last}",
            f"sonen hem: 08-465 004 {last}",
            f"maken, (0980) 319 2{last}",
            f"grannen 0980-31 92 {last}",
        ]
    )


def address(rng: random.Random) -> str:
    house = rng.choice([" 12", " 3B", " 4 lgh 1102", " 7 b", " 112, 294 31 Sölvesborg"])
    return rng.choice([rng.choice(STREETS) + house, "anhorig.hemma@mail.example", "k_a-85@post.example.org"])


MAKERS: dict[str, Maker] = {
    "personnummer": odd_number,
    "reserve_number": reserve_number,
    "birth_date": birth_date,
    "name": name,
    "phone": phone,
    "address": address,
}
AROUND = [
    "Vi fick hem {it} utan läkemedelslista.",
    "Enligt Prator gällde det {it}, men epikrisen saknades.",
    "Ambulansen kom kl 18.30 med {it}.",
    "Fel etikett ({it}) satt på dosetten.",
    "Avdelningen frågade efter {it} men ingen visste.",
    "Det står {it} på remissen från Medicin avdelning 43.",
]


def clean(rng: random.Random) -> str:
    """A sentence that names nobody, full of what could be taken for a name or a number."""
    day = f"2026-0{rng.randint(1, 5)}-{rng.randint(10, 18)}"
    hour, minute, n = f"{rng.randint(0, 23):02}", f"{rng.randint(0, 59):02}", rng.randint(2, 98)
    return rng.choice(CLEAN).format(
        day=day, compact=day.replace("-", ""), hour=hour, minute=minute, n=n, k=rng.randint(1000, 9999)
    )


CLEAN = [
    "Ring Medicin avdelning 43 på 0455-73 10 00 före kl {hour}.{minute}.",
    "Växeln nås på 0455-73 {n:02} {n:02}, annars 1177 eller 112.",
    "Hemsjukvården Sölvesborg, tel 0456-81 6{n:02} 0, svarade inte.",
    "Mottagningen svarar på 010-48 53 0{n:02} vardagar kl 8-16.",
    "Ärendet BLE-2026-7K3Q9X hör ihop med BLE-2026-{k}AB.",
    "Enheten har HSA-id SE2321000081-S0{n:02} i katalogen.",
    "Organisationsnummer 232100-0081 och 2321000081 står på fakturan, 556036-0793 på följesedeln.",
    "Provet togs {day} {hour}{minute} och svaret kom {compact} {hour}{minute}.",
    "Larmet gick {day} kl {hour}:{minute}, dörren öppnades {hour}.{minute}.",
    "Patienten på rum {n}, säng 2, fick 5000 E Fragmin {day} 0800 och 2000.",
    "Blodtryck 120/80, puls {n}, saturation 94 %, temp 37,8 och CRP {n}.",
    "Hb {n}, kreatinin 110, eGFR 45, kalium 3,9 och B-glukos 12,4 mmol/l.",
    "Levaxin 50 mikrogram 1x1 och Alvedon 500 mg 2x4 stod i Pascal men inte i Cosmic.",
    "Skickat till Lyckeby, 371 85 Karlskrona, plan 5, hus 19.",
    "Stig upp ur sängen försiktigt, stod det i vårdplanen.",
    "Sten i njuren misstänktes vid undersökning {day}.",
    "Per dygn ges 3 doser. Per telefon fick vi en annan uppgift.",
    "Hans dotter informerades. Hans läkemedelslista saknades.",
    "Inga åtgärder vidtogs. Inga läkemedel följde med.",
    "MAS, SAS och SIP nämns i rutinen från Region Blekinge.",
    "Lex Maria och lex Sarah är inte aktuella, men MAS är informerad.",
    "Enligt Hemsjukvårdsavtalet ska Individ- och familjeomsorg Karlshamn kallas till SIP.",
    "Björk och gräs ger allergi, står det i Lifecare sedan {day}.",
    "Patienten Prator-ärende {k} stängdes av Strokeenheten.",
    "Boendet Solgläntan, avdelning Linnea, rum {n}, fick ingen rapport.",
    "Sköterskan på Astrid Lindgrens barnsjukhus ringde Karlshamns vårdcentral.",
    "Linda om foten dagligen. Axel höger gör ont. Tom förpackning låg kvar.",
    "Ordernummer 4803121235 och batch 19{n:02}1218 är kontrollerade.",
    "Jourläkaren på Blekingesjukhuset, Ortopedkliniken, skrev remiss {k}-{n}.",
    "Parkinsons sjukdom, Crohns sjukdom och Alzheimers sjukdom fanns i anamnesen.",
    "Inläggning 12-14 maj 2026, återbesök v. 22, vikt 71,5 kg, längd 172 cm.",
    "Norton 18 poäng, MNA {n}, Downton 4, ROAG 9, Apgar 9-10-10.",
    "Ta {n} ml kl 08 12 16 20, totalt 1500 ml, från och med {day}.",
    "Sjukresan bokades 2026-05-18 08:00-16:30 men kom till fel adress.",
    "Socialstyrelsens föreskrift SOSFS 2011:9 och HSLF-FS 2016:40 gäller.",
    "Väg 27 var avstängd och Ambulans och sjukresor fick vända.",
    "I Maj saknades personal. Den 1 Juni började Team Nära vård.",
    "Doktor i tjänst svarade inte. Dotter till patienten ringde.",
    "Mina vårdkontakter och Freja eID fungerade inte {day}.",
    "Kundnummer 10{k}22, artikelnummer 7350012345678 och LOT 2605{n:02}-12.",
]


def finds(sentence: str) -> list[str]:
    return [sentence[hit.start : hit.end] for hit in probable(sentence, today=TODAY)]


@pytest.mark.parametrize("kind", MAKERS)
def test_at_least_98_of_100_are_found_whole(kind: str) -> None:
    rng = random.Random(kind)
    missed = []
    for _ in range(EACH):
        it = MAKERS[kind](rng)
        sentence = rng.choice(AROUND).format(it=it)
        begin = sentence.index(it)
        end = begin + len(it.removesuffix("s anhöriga"))
        found = [*probable(sentence, today=TODAY), *certain(sentence, today=TODAY)]
        # A word such as "född" may stay; what it stands before must not.
        if not any(begin <= hit.start and hit.end >= end for hit in found):
            missed.append(sentence)
    print(f"{kind}: {EACH - len(missed)} of {EACH} found")
    assert len(missed) <= EACH * 0.02, missed[:20]


def test_at_least_99_of_100_warnings_are_right_and_clean_sentences_are_left_alone() -> None:
    rng = random.Random(1948)
    false = Counter(tuple(found) for _ in range(2000) if (found := finds(clean(rng))))
    texts = [rng.choice(AROUND).format(it=make(rng)) for make in MAKERS.values() for _ in range(EACH)]
    right = sum(bool(finds(sentence)) for sentence in texts)
    share = right / (right + false.total())
    print(
        f"warned for: {right} of {len(texts)} with a trace, {false.total()} of 2000 clean; precision {share:.4f}"
    )
    assert share >= 0.99, false.most_common(10)
    assert false.total() <= 20, false.most_common(10)


@pytest.mark.parametrize("sentence", CLEAN)
def test_no_kind_of_clean_sentence_always_warns(sentence: str) -> None:
    """A share over all sentences could hide one kind that is always wrong."""
    rng = random.Random(sentence)
    fills = [{"day": "2026-05-18", "compact": "20260518", "hour": "14", "minute": "05"} for _ in range(20)]
    warned = [
        finds(sentence.format(**fill, n=rng.randint(2, 98), k=rng.randint(1000, 9999))) for fill in fills
    ]
    assert sum(map(bool, warned)) <= 2, warned[0]


def test_the_history_of_a_county_warns_for_nothing() -> None:
    """Eight hundred reports written without names, and every unit, category and agreement."""
    folder = Path(__file__).parents[2] / "backend" / "exchange" / "counties" / "blekinge"
    files = [file for file in folder.glob("*.csv") if file.name != "people.csv" and "faults" not in file.name]
    lines = [line for file in files for line in file.read_text("utf-8").splitlines()]
    assert len(lines) > 850
    assert [found for line in lines for found in _prose(line)] == []


def _prose(line: str) -> Iterator[str]:
    for cell in line.split(","):
        yield from finds(cell)


def test_masking_takes_away_what_was_found_and_nothing_else() -> None:
    text = "Dottern Eva Lind ringde från 070-174 06 05 kl 18.30."
    masked = mask_out(text, probable(text, today=TODAY))
    assert masked == "Dottern [maskat] ringde från [maskat] kl 18.30."
    assert mask_out(masked, probable(masked, today=TODAY)) == masked


def test_what_overlaps_is_masked_once() -> None:
    text = "Skriv till karin.andersson@mail.example."
    assert mask_out(text, [*probable(text), *probable(text)]) == "Skriv till [maskat]."


def test_a_time_stamp_with_a_right_check_digit_warns_but_does_not_stop() -> None:
    eight = "20260518"
    stamps = [f"{hour:02}{minute:02}" for hour in range(24) for minute in range(60)]
    fitting = [four for four in stamps if luhn(eight[2:] + four[:3]) == four[3] and four[:3] != "000"]
    assert len(fitting) > 100
    for four in fitting:
        assert certain(f"Provet togs {eight} {four}.", today=TODAY) == []
        assert finds(f"Provet togs {eight} {four}.") == [f"{eight} {four}"]
        for said in ("pnr", "Personnummer:", "född"):
            assert len(certain(f"{said} {eight} {four}", today=TODAY)) == 1
        assert len(certain(f"{eight}-{four}", today=TODAY)) == 1
        assert len(certain(f"{eight[2:]} {four}", today=TODAY)) == 1


def test_what_is_certain_is_not_warned_for_as_well() -> None:
    written = person(random.Random(7))
    assert finds(f"Patienten {written[:8]}-{written[8:]} kom hem.") == []


def test_ten_thousand_signs_of_prose_take_less_than_five_milliseconds() -> None:
    text = (" ".join(PROSE) * 20)[:10_000]
    times = []
    for _ in range(30):
        began = time.perf_counter()
        certain(text, today=TODAY)
        probable(text, today=TODAY)
        times.append(time.perf_counter() - began)
    print(f"certain and probable over 10 kB: {min(times) * 1000:.1f} ms")
    # Measured 3.0 ms with the machine to itself; it seldom has that while tests run side by side.
    assert min(times) < 0.02


PROSE = [
    "Patienten skrevs ut på fredagen utan att hemsjukvården fått besked.",
    "När distriktssköterskan kom hem till henne på kvällen saknades läkemedelslistan, och dosetten var delad för fel",
    "vecka. Dottern hade försökt nå avdelningen flera gånger under eftermiddagen men fick inget svar.",
    "Enligt överenskommelsen ska utskrivningsmeddelandet skickas i Prator senast samma dag, och läkemedel ska följa med.",
    "Vi ringde Medicin avdelning 43 på 0455-73 10 00 klockan 18.30 och fick veta att epikrisen inte var skriven.",
    "Insulin gavs först 2026-05-19 efter kontakt med jourläkaren på Karlshamns vårdcentral. Blodsocker 3,2.",
]
