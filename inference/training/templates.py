"""Writes training texts for what the public texts hardly hold: flat complaints, negation, contrast, sarcasm, moods.

Everything here and in sentences.tsv was written for this recipe and is Apache-2.0. The behavioural
cases are never trained on: `overlap` finds any text that equals one or shares six words in a row.
"""

import random
import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from string import Formatter
from typing import TypeAlias

SENTENCES = Path(__file__).with_name("sentences.tsv")
SIGNS = {"-": 0, "0": 1, "+": 2}
EACH = 10
# The one with which the released model was trained.
SEED = 20140601
SHARED_WORDS = 6

Labelled: TypeAlias = tuple[str, int]
"""A text, and 0, 1 or 2: negative, neutral or positive."""

SLOTS = {
    "thing": (
        "phone|laptop|app|printer|camera|kettle|toaster|headset|router|keyboard|vacuum cleaner|watch|tablet|chair|"
        "backpack|bike|drill|website|dashboard|speaker|monitor|jacket|blender|razor|mattress"
    ),
    "place": "restaurant|hotel|café|bar|hostel|shop|bakery|clinic|gym|diner|salon|bistro",
    "part": "battery|screen|zip|handle|hinge|cable|lens|motor|strap|remote|button|lid|charger|wheel",
    "dish": "soup|steak|pasta|curry|burger|fish|risotto|salad|pizza|ramen|breakfast|dessert|coffee",
    "people": "staff|waiters|support team|receptionists|sales people|technicians|drivers|crew",
    "feature": "search|export|login|checkout|calendar|sync|upload|report|notification|import|map",
    "work": "film|book|series|album|play|game|podcast|novel|sequel|documentary",
    "minutes": "25|35|40|50|an hour and 10|75|90",
    "days": "two|three|four|five|nine|ten",
    "times": "three|four|five|six|seven",
    "good": "good|great|excellent|lovely|nice|friendly|reliable|helpful|impressive|clever|comfortable|wonderful",
    "bad": "bad|awful|slow|terrible|rude|unreliable|disappointing|confusing|poor|dreadful|clumsy|horrible",
    "mild": "okay|fine|average|acceptable|ordinary|decent enough|so-so|alright",
    "very": "very|really|so|extremely|quite|absolutely|truly",
    "praise": "I love it|I am delighted|it made my day|I would buy it again|it works perfectly|I'm impressed",
    "blame": "I hate it|I want a refund|it ruined my day|I would never buy it again|it is useless|I'm fed up",
    "happy": "😀|😊|👍|😍|🎉|❤️|💯|👏|🥰|🙌",
    "cross": "😡|👎|😠|🤬|😤|😭|🤮|💔|😞",
    "place_name": "Hamburg|Leeds|Porto|Austin|Kyoto|Graz|Lyon|Oslo",
    "day": "Monday|Tuesday|Wednesday|Thursday|Friday|Saturday|Sunday",
    "name": "Ana|Tom|Priya|Lukas|Mei|Sofia|Omar|Kate",
}

NEGATIVE = """
The line of the {place_name} office has been busy for {minutes} minutes.
I waited {minutes} minutes for the {dish}.
We sat there for {minutes} minutes before anybody took our order.
The {dish} came after {minutes} minutes and it was cold.
It has been {days} days and the {thing} is still not here.
The {thing} was delivered {days} days late.
The {part} of the {thing} broke after {days} days.
The {part} came loose after {days} weeks.
The {thing} turned itself off {times} times today.
I had to restart the {thing} {times} times.
I have written to them {times} times and heard nothing.
The {feature} fails every time I try.
The {feature} has been down since {day}.
Since {day} the {feature} gives an error.
The {feature} does not open any more after the update.
The {thing} arrived without the {part}.
The {thing} has a scratch on the {part}.
The {thing} gets hot enough to burn my hand.
My {thing} has been at the repair shop for {days} weeks.
They told me to wait, and {days} weeks later I am still waiting.
{name} from support promised to call on {day} and never did.
The {place} gave our table to somebody else.
I asked the {people} for help and they walked away.
The {people} talked to each other and left us standing.
The {thing} is not {good}.
The {thing} isn't {good} at all.
The {dish} was not {good}.
The {people} were not {good}.
I do not think the {thing} is {good}.
I don't find the {feature} {good}.
Nobody would call this {place} {good}.
It is hardly what I'd call {good}.
The {work} is neither {good} nor {good}.
I did not like the {work}.
I didn't enjoy the {dish}.
I wouldn't call the {thing} {good}.
The {part} is {good}, but the {thing} is {bad} and I am sending it back.
The {dish} was {good}, but the {people} were {bad} and we won't return.
Everyone says the {work} is {good}, but I found it {bad}.
The {thing} looks {good}, but {blame}.
I thought the {thing} would be {good}, but {blame}.
At first the {thing} was {good}, then the {part} died.
The {feature} was {good} until the last update; now it is {bad}.
Although the {people} were {good}, the {place} was {bad}.
Great, the {feature} is broken again.
Oh wonderful, the {thing} stopped working on {day}. Again.
Fantastic, only {minutes} minutes of waiting this time.
Just great: the {part} fell off.
Thanks for the {thing} that lasted {days} days.
What a "{good}" {thing}. {part} gone after a week.
Sure, because who needs a {part} that works.
Love how the {feature} forgets everything I enter.
Nice, {times} updates this week and the {feature} is still broken 🙄
Another day, another broken {feature}. Well done.
The {thing} is {very} {bad}.
The {people} at the {place} were {very} {bad}.
What a {bad} {work}.
The {work} was {bad} from start to finish.
Such a {bad} {thing}, {blame}.
My {thing} broke on {day} {cross}
The {feature} is gone {cross}{cross}
{days} weeks of waiting {cross}
If only the {thing} were {good}.
I wish the {people} were {good}.
Compared with the old {thing} this one is {bad}.
The {thing} used to be {good}.
My old {thing} was far better.
Not the {good} {thing} I was promised.
I paid full price and got a used {thing}.
{blame}.
"""
NEUTRAL = """
The {thing} is {mild}.
The {dish} was {mild}.
The {people} were {mild}.
The {work} is {mild}, no more and no less.
The {place} is {mild}, like many others.
The {thing} is neither {good} nor {bad}.
The {work} was neither {bad} nor {good}.
The {dish} was not {good} and not {bad} either.
The {people} are {good}, the {feature} is {bad}.
The {part} is {good} and the {feature} is {bad}.
The {dish} was {bad} and the {dish} was {good}.
Sometimes the {thing} is {good}, sometimes it is {bad}.
I can't say whether the {thing} is {good} or {bad}.
I have not decided yet whether I like the {work}.
Is the {thing} {good}?
Is the {place} as {bad} as they say?
Are the {people} {good} there?
How long does the {part} last?
How do I replace the {part} of my {thing}?
Where can I find the {feature} in the new version?
What do I do when the {feature} fails?
Can I get a {part} for the {thing} from {place_name}?
Does the {thing} come with a {part}?
Could you send me the manual of the {thing}?
Please move my booking at the {place} to {day}.
Please tell me when the {thing} is back in stock.
I bought the {thing} on {day}.
I ordered a {thing} and a {part}.
The {thing} was delivered on {day}.
We had the {dish} and the {dish}.
The {place} is in {place_name}, next to the station.
The {place} opens on {day} at nine.
I use the {thing} with a second {part}.
The {thing} comes with a {part} and a bag.
The {part} is on the left side of the {thing}.
The {feature} is in the menu on top.
{name} asked me about the {thing} on {day}.
I am meeting {name} at the {place} on {day}.
The {work} is about a family from {place_name}.
The {work} comes out on {day}.
{name} plays in {place_name} on {day} and in {place_name} on {day}.
It would be useful if the {feature} had a filter.
I haven't tried the {feature} yet.
I have had the {thing} for {days} days, too early to judge.
The {feature} was changed on {day}.
I moved from {place_name} to {place_name}, please update my address.
The {thing} is for my {days} colleagues.
"""
POSITIVE = """
The {thing} came {days} days early.
The {thing} is still running after {days} years.
The {part} lasts for {days} days.
{name} from support answered within {minutes} seconds.
{name} fixed the {feature} while I was on the phone.
The {people} stayed late to help me.
They sent a new {part} at once and for free.
The {feature} works again, thank you.
The {feature} does not fail any more.
The {feature} now takes seconds instead of {minutes} minutes.
The {thing} has not let me down once in {days} years.
Since the update the {thing} no longer crashes.
The {thing} is not {bad} at all.
The {dish} was not {bad} at all.
There is nothing {bad} about the {thing}.
I didn't find a single {bad} thing about the {place}.
The {work} is never {bad}, it is {very} {good}.
I could not be happier with the {thing}.
I can't fault the {people}.
You won't find a more {good} {place}.
I was told the {work} was {bad}, but I found it {good}.
I thought the {place} would be {bad}, but it was {very} {good}.
The {part} is a bit {bad}, but the {thing} is {good} and {praise}.
The {place} was {bad} years ago, but now it is {good}.
Although the {dish} took {minutes} minutes, it was {good} and worth it.
Even though it was raining, the {people} were {good} and {praise}.
The {feature} was {bad} before; now it is {good}.
The {thing} is {very} {good}.
The {people} at the {place} were {very} {good}.
What a {good} {work}!
Such a {good} {place}, {praise}.
The {work} was {good} from start to finish.
The {dish} was {very} {good}.
My {thing} works again {happy}
New {feature} {happy}{happy}
The {dish} at this {place} {happy}
Better than any {thing} I had before.
More {good} than I expected.
Exactly the {thing} I was looking for.
We come back to this {place} every {day}.
I told {name} to get the same {thing}.
I have already bought a second {thing} for {name}.
This {thing} replaced {days} other things on my desk.
The {thing} paid for itself in {days} months.
See you again on {day}, {place} people!
{praise}.
"""
TEMPLATES = {0: NEGATIVE, 1: NEUTRAL, 2: POSITIVE}


def written() -> list[Labelled]:
    """Read the sentences that were written one by one."""
    rows = (line.split("\t") for line in SENTENCES.read_text(encoding="utf-8").splitlines())
    return [(text, SIGNS[sign]) for sign, text in rows]


def filled(*, seed: int, each: int = EACH) -> list[Labelled]:
    """Fill each template several times; a text that comes twice is kept once."""
    chance = random.Random(seed)  # noqa: S311 -- a fixed seed is the point
    unique = {
        text: label
        for label, block in TEMPLATES.items()
        for template in block.strip().splitlines()
        for text in sorted({fill(template, chance) for _ in range(each)})
    }
    return list(unique.items())


def fill(template: str, chance: random.Random) -> str:
    """Put a word into each slot, a new one each time, and begin with a capital."""
    parts = []
    for before, slot, _, _ in Formatter().parse(template):
        parts += [before, chance.choice(SLOTS[slot].split("|")) if slot else ""]
    text = "".join(parts)
    return text[0].upper() + text[1:]


def disturbed(text: str, chance: random.Random) -> str:
    """Write a text as people in a hurry do: a slip of the finger, capitals, no or more punctuation."""
    way = chance.choice(
        ("slip", "double", "drop", "capitals", "small", "bare", "loud", "apostrophe")
    )
    at = chance.randrange(max(1, len(text) - 2))
    slips = {
        "slip": text[:at] + text[at : at + 2][::-1] + text[at + 2 :],
        "double": text[:at] + text[at : at + 1] * 2 + text[at + 1 :],
        "drop": text[:at] + text[at + 1 :],
        "capitals": text.upper(),
        "small": text.lower(),
        "bare": re.sub(r"[.,!;:]", "", text),
        "loud": text.rstrip(".") + "!" * chance.randint(1, 4),
        "apostrophe": text.replace("'", ""),
    }
    return slips[way]


def overlap(texts: Iterable[str], cases: Sequence[str]) -> Iterator[str]:
    """Find the texts that equal a case, or share SHARED_WORDS words in a row with one."""
    equal = {tuple(words(case)) or case for case in cases}
    runs = {run for case in cases for run in sequences(case)}
    for text in texts:
        if (tuple(words(text)) or text) in equal or not runs.isdisjoint(sequences(text)):
            yield text


def sequences(text: str) -> set[tuple[str, ...]]:
    """List all runs of SHARED_WORDS words of a text."""
    found = words(text)
    return {tuple(found[at : at + SHARED_WORDS]) for at in range(len(found) - SHARED_WORDS + 1)}


def words(text: str) -> list[str]:
    """Split a text into its words, in small letters."""
    return re.findall(r"\w+", text.lower().replace("'", ""))
