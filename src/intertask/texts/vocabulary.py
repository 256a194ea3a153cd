"""A vocabulary of one's own, from training texts alone: pieces of words, words, or characters."""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Literal

from intertask.texts.tokens import Words, clean

if TYPE_CHECKING:
    from tokenizers import Tokenizer

Vocabulary = Literal["pieces", "words", "characters"]
PADDING, UNKNOWN = "[PAD]", "[UNK]"


def fitted(texts: Sequence[Words], kind: Vocabulary, size: int, at_least: int, lower: bool) -> "Tokenizer":
    """A tokenizer that knows what training texts have.

    Args:
        texts: Each in pieces.
        kind: "pieces" joins the pairs of letters that are most frequent (byte pair encoding; Sennrich et al.,
            "Neural Machine Translation of Rare Words with Subword Units", ACL 2016).
        size: Most tokens.
        at_least: A word, character or pair that fewer texts have is unknown.
        lower: Read capital letters as small ones.
    """
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, trainers

    plain = [normalizers.NFKC(), *([normalizers.Lowercase()] if lower else [])]
    whole = (clean(" ".join(pieces)) for pieces in texts)
    if kind == "pieces":
        tokenizer = Tokenizer(models.BPE(unk_token=UNKNOWN))
        tokenizer.normalizer = normalizers.Sequence(plain)
        # Marked where words begin: with a mark where they go on the library numbers letters by chance.
        marked = [pre_tokenizers.Metaspace(), pre_tokenizers.Punctuation()]
        tokenizer.pre_tokenizer = pre_tokenizers.Sequence(marked)
        trainer = trainers.BpeTrainer(
            vocab_size=size,
            min_frequency=at_least,
            special_tokens=[PADDING, UNKNOWN],
            show_progress=False,
        )
        tokenizer.train_from_iterator(whole, trainer)
        return tokenizer
    parting = {
        "words": pre_tokenizers.BertPreTokenizer(),
        "characters": pre_tokenizers.Split("", "isolated"),
    }
    normalizer = normalizers.Sequence(plain)
    counts = _counts(whole, normalizer.normalize_str, parting[kind].pre_tokenize_str)
    known = [word for word, count in counts if count >= at_least][: size - 2]
    vocabulary = {word: code for code, word in enumerate([PADDING, UNKNOWN, *known])}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token=UNKNOWN))
    tokenizer.normalizer, tokenizer.pre_tokenizer = normalizer, parting[kind]
    return tokenizer


def _counts(texts: Iterable[str], normal: object, parted: object) -> list[tuple[str, int]]:
    """Words by frequency, those as frequent by letter."""
    assert callable(normal)
    assert callable(parted)
    found = Counter(word for text in texts for word, _ in parted(normal(text)))
    return sorted(found.items(), key=lambda pair: (-pair[1], pair[0]))
