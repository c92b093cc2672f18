"""Emoji as words, in the tokenizer's own file: the base vocabularies know none, and read each as one [UNK].

They become `Replace` steps of tokenizer.json's normalizer, so that whoever reads that file (the server, Triton's clients, Hugging
Face) reads emoji alike, and what the base weights know of the words counts. The words are the emoji's Unicode name (CLDR, from the PyPI package
`emoji`); for those by which people show a feeling, what they mean by it.
"""

from __future__ import annotations

from emoji import EMOJI_DATA

_MEANINGS = {
    # faces and gestures that approve
    "😂": "haha", "🤣": "haha", "😹": "haha", "😆": "haha", "😄": "happy smile", "😃": "happy smile", "😀": "happy smile",
    "😁": "grin", "🙂": "smile", "😊": "happy smile", "☺": "happy smile", "😇": "angel", "😍": "love it", "🥰": "love it",
    "😻": "love it", "🤩": "amazing", "😘": "kiss", "😗": "kiss", "😚": "kiss", "😙": "kiss", "😋": "yummy", "😎": "cool",
    "😉": "wink", "😌": "relieved", "🤗": "hug", "🥳": "party", "😏": "smirk", "😛": "playful", "😜": "playful", "😝": "playful",
    "🤪": "crazy", "🤭": "giggle", "🥹": "touched", "😸": "happy smile", "😺": "happy smile", "👍": "thumbs up", "👌": "perfect",
    "👏": "bravo", "🙌": "hooray", "🙏": "please", "💪": "strong", "🤝": "deal", "✌": "peace", "🤘": "rock on", "🤞": "hope",
    "🫶": "love", "👊": "fist bump", "✊": "fist", "👋": "hello",
    # hearts and praise
    "❤": "love", "♥": "love", "💕": "love", "💖": "love", "💗": "love", "💓": "love", "💞": "love", "💘": "love", "💝": "love",
    "💙": "love", "💚": "love", "💛": "love", "💜": "love", "🧡": "love", "🖤": "love", "🤍": "love", "🤎": "love", "🩷": "love",
    "🩵": "love", "❣": "love", "💟": "love", "💋": "kiss", "💌": "love letter", "🔥": "awesome", "💯": "perfect", "✨": "sparkling",
    "🌟": "star", "⭐": "star", "🎉": "celebration", "🎊": "celebration", "🏆": "winner", "🥇": "winner", "🎁": "gift",
    "🎂": "birthday cake", "🥂": "cheers", "🍻": "cheers", "🌈": "rainbow", "🌹": "rose", "🌸": "flower", "☀": "sunny",
    "✅": "yes", "✔": "yes", "😤": "frustrated",
    # what disapproves, hurts or saddens
    "👎": "thumbs down", "😡": "angry", "😠": "angry", "🤬": "furious", "👿": "evil", "😾": "angry", "💢": "angry", "🖕": "fuck you",
    "😢": "sad crying", "😭": "crying", "😿": "sad crying", "😞": "disappointed", "😔": "sad", "😟": "worried", "😕": "confused",
    "🙁": "sad frown", "☹": "sad frown", "😣": "suffering", "😖": "suffering", "😫": "exhausted", "😩": "tired", "🥺": "begging",
    "😦": "sad frown", "😧": "anguished", "😨": "afraid", "😰": "worried", "😱": "shocked", "😥": "sad", "😓": "exhausted",
    "😒": "annoyed", "🙄": "annoyed", "😑": "annoyed", "😐": "meh", "😶": "speechless", "😬": "awkward", "🤦": "facepalm",
    "🤮": "disgusting vomit", "🤢": "disgusting", "🤡": "clown", "💩": "crap", "🗑": "garbage", "💔": "heartbroken", "☠": "dead",
    "💀": "dead", "😵": "dizzy", "😷": "sick", "🤒": "sick", "🤕": "hurt", "🥱": "boring", "😴": "sleeping", "😪": "sleepy",
    "🥵": "too hot", "🥶": "too cold", "🤥": "liar", "❌": "no", "🚫": "forbidden", "⛔": "forbidden", "⚠": "warning", "🚨": "alarm",
    "📉": "falling", "📈": "rising", "🐌": "slow snail", "🚩": "red flag",
    # neither
    "🤔": "hmm", "🤨": "really?", "🧐": "hmm", "🤷": "shrug", "😮": "surprised", "😯": "surprised", "😲": "astonished",
    "😳": "embarrassed", "🤯": "mind blown", "🙃": "ironic smile", "😅": "nervous laugh", "🥴": "dizzy", "🫠": "melting", "🙈": "oops",
    "👀": "look", "💭": "thought", "❓": "?", "❗": "!", "‼": "!!", "🤖": "robot", "👻": "ghost", "🎶": "music", "🎵": "music",
}  # fmt: skip

# Skin tones, and the signs of gender that are joined to a person, say nothing about an opinion.
_NOTHING = ["🏻", "🏼", "🏽", "🏾", "🏿", "♀", "♂"]


_VARIATION_SELECTOR = "\ufe0f"
_FIRST = 0x2190
"""Below stand digits and the signs of copyright and trade mark, which are emoji by name only."""


def _words() -> dict[str, str]:
    """By emoji, of those that are one character."""
    single = {emoji.replace(_VARIATION_SELECTOR, ""): data["en"] for emoji, data in EMOJI_DATA.items()}
    names = {
        emoji: name.strip(":").replace("_", " ").lower() for emoji, name in single.items() if len(emoji) == 1 and ord(emoji) >= _FIRST
    }
    words = {emoji: f" {word} " for emoji, word in {**names, **_MEANINGS}.items()}
    return dict(sorted({**words, **dict.fromkeys(_NOTHING, "")}.items()))


def normalizer_with_emoji(normalizer: dict) -> dict:
    """The `normalizer` section of a tokenizer.json, with emoji turned into words before its own steps."""
    # The server does neighbouring one-character steps in one pass; that none meets another's words, it checks itself.
    steps = [{"type": "Replace", "pattern": {"String": emoji}, "content": words} for emoji, words in _words().items()]
    return {"type": "Sequence", "normalizers": [*steps, normalizer]}
