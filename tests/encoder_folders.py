"""The smallest encoders of texts in the form of Hugging Face, with random weights."""

from collections.abc import Iterable
from pathlib import Path

import torch

WORDS = ("[PAD]", "[UNK]", "[CLS]", "[SEP]")


def encoder_folder(
    place: Path, texts: Iterable[str], seed: int = 0, width: int = 16, layers: int = 2
) -> Path:
    """A folder with a BERT that knows the letters of some texts and their words."""
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors
    from transformers import BertConfig, BertModel

    texts = [text.lower() for text in texts]
    letters = sorted({letter for text in texts for letter in text if not letter.isspace()})
    words = sorted({word for text in texts for word in text.split() if word.isalpha() and len(word) > 1})
    known = [*WORDS, *letters, *(f"##{letter}" for letter in letters), *words]
    vocabulary = {word: code for code, word in enumerate(known)}
    tokenizer = Tokenizer(models.WordPiece(vocabulary, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.post_processor = processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))
    config = BertConfig(
        vocab_size=len(known),
        hidden_size=width,
        num_hidden_layers=layers,
        num_attention_heads=2,
        intermediate_size=2 * width,
        max_position_embeddings=64,
        pad_token_id=0,
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = BertModel(config)
    model.save_pretrained(place)
    tokenizer.save(str(place / "tokenizer.json"))
    return place
