"""Words for the emoji that carry a mood: the encoder's vocabulary has none, and would read each as unknown."""

from tokenizers import Regex, Tokenizer, normalizers

# Written by hand; what is not here stays unknown.
WORDS = {
    "angry": "😠😡🤬👿💢😤",
    "annoyed": "🙄😒😩😫😣😖🤦",
    "applause": "👏",
    "awful": "💩🤡",
    "boring": "😴🥱",
    "cool": "😎",
    "crying": "😭",
    "disgusting": "🤮🤢",
    "fire": "🔥",
    "happy": "😀😃😄😁😆😊🙂😇🤗😺☺",
    "heartbroken": "💔",
    "hooray": "🥳🎉🎊🙌",
    "laughing": "😂🤣",
    "love": "😍🥰😘😻❤💕💖💗💓💞💛💚💙💜🧡🤍♥",
    "neutral": "😐😑😶🤷",
    "perfect": "💯👌",
    "sad": "😢😞😔🙁😟😥😿☹",
    "shocked": "😱😨",
    "star": "⭐🌟",
    "thanks": "🙏",
    "thumbs down": "👎",
    "thumbs up": "👍",
    "unhappy": "😕😬😓",
    "yummy": "😋🤤",
}
SKIN_TONES = "[\U0001f3fb-\U0001f3ff]"


def teach(tokenizer: Tokenizer) -> None:
    """Make a tokenizer read these emoji as words; they are part of tokenizer.json from then on."""
    spoken = [
        normalizers.Replace(Regex(f"[{emoji}]"), f" {word} ") for word, emoji in WORDS.items()
    ]
    tokenizer.normalizer = normalizers.Sequence(
        [normalizers.Replace(Regex(SKIN_TONES), ""), *spoken, tokenizer.normalizer]
    )
