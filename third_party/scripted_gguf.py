#!/usr/bin/env python3
"""scripted_gguf.py SCRIPT.json OUT.gguf [--template FILE]

Writes a small GGUF model (about 1 MB) that makes an unmodified llama.cpp answer the k-th assistant turn
of any conversation with the k-th entry of SCRIPT, byte for byte, whatever the prompt says and however
it samples. The `tour` model and the end-to-end tests are made with it. Standard library only; the file
is a function of the script and the chat template.

SCRIPT is a JSON list of at most 24 turns. A turn is one part or a list of parts:
  {"text": "..."}                    literal text
  {"tool": "read", "args": {...}}    a tool call, as <tool_call>{"name": ..., "arguments": ...}</tool_call>
  {"think": "..."}                   reasoning, as <think>...</think>
  {"hex": "fffe"}                    raw bytes, also invalid UTF-8
  {"forever": "abc "}                repeated without end; must be the last part
After the last entry the model repeats it.

How it works. The residual stream is a one-hot vector of the current token plus a constant. The one
attention head looks only at the start token and at the tokens that open an assistant turn, all with
the same weight, and its value is 1 on the start token: so it yields r = 1 / (1 + n) where n is the number
of assistant turns opened so far. The feed-forward layer turns r into a one-hot "this is turn k", with a step
between each two neighbouring values of r. The output matrix is a table of transitions: a token is
likely when the current token may be followed by it, and, where that depends on the turn, in this turn.
"""
import array
import json
import os
import struct
import sys

MAX_TURNS = 24
PIECE_BYTES = 6         # text is cut into tokens of about this many bytes
HEAD_SIZE = 32
CONTEXT_TOKENS = 32768
# Logits before the final norm scales them (by about 10): "may follow" and "in this turn"
FOLLOWS, IN_TURN = 100.0, 40.0

NORMAL, CONTROL, USER_DEFINED = 1, 3, 4  # token types of GGUF


class ScriptError(ValueError):
    pass


# ---- vocabulary ------------------------------------------------------------------------------------

def gpt2_byte_characters():
    """GPT-2's printable character for each byte, the spelling of tokens in the file."""
    plain = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = [byte for byte in range(256) if byte not in plain]
    table = {byte: chr(byte) for byte in plain}
    table.update({byte: chr(256 + index) for index, byte in enumerate(others)})
    return table


BYTE_CHARACTERS = gpt2_byte_characters()


def spell(raw):
    return "".join(BYTE_CHARACTERS[byte] for byte in raw)


class Vocabulary:
    TAGS = ("<tool_call>", "</tool_call>", "<think>")

    def __init__(self):
        self.texts, self.types, self.ids = [], [], {}
        for byte in range(256):
            self.add(BYTE_CHARACTERS[byte], NORMAL)
        self.start = self.add("<|bos|>", CONTROL)
        self.add("<|im_start|>", CONTROL)
        self.end_of_turn = self.add("<|im_end|>", CONTROL)
        self.assistant = self.add("<|im_start|>assistant\n", CONTROL)
        self.tags = {tag: self.add(tag, USER_DEFINED) for tag in self.TAGS}

    def add(self, text, kind):
        if text in self.ids:
            raise ScriptError("the same token is needed twice: %r" % text)
        self.ids[text] = len(self.texts)
        self.texts.append(text)
        self.types.append(kind)
        return self.ids[text]

    def add_pieces(self, raw):
        """Cuts bytes into new tokens, each unique in the whole file, so that each has one successor."""
        pieces, at = [], 0
        while at < len(raw):
            size = min(PIECE_BYTES, len(raw) - at)
            while at + size < len(raw) and (raw[at + size] & 0xC0) == 0x80:
                size += 1  # not inside a character
            while spell(raw[at:at + size]) in self.ids and at + size < len(raw):
                size += 1
            text = spell(raw[at:at + size])
            if text in self.ids:  # the tail is not unique: it joins the piece before
                self._extend_last(pieces, text, raw)
                break
            pieces.append(self.add(text, NORMAL))
            at += size
        return pieces

    def _extend_last(self, pieces, tail, raw):
        if not pieces:
            raise ScriptError("the text %r is already a part of another turn; vary it" % raw.decode())
        last = pieces[-1]
        self.texts[last] += tail
        self.ids[self.texts[last]] = last


# ---- script -> tokens ------------------------------------------------------------------------------

class Turn:
    """One entry of the script as tokens; loop_at is where an endless one goes back to."""

    def __init__(self, vocabulary):
        self.vocabulary = vocabulary
        self.segments = []  # bytes, or the id of a token
        self.loop_segment = None

    def put_bytes(self, raw):
        mergeable = self.segments and isinstance(self.segments[-1], bytes)
        if mergeable and self.loop_segment != len(self.segments):
            self.segments[-1] += raw
        else:
            self.segments.append(raw)

    def put_tag(self, tag):
        """A tag is one token, but only once in a turn: a second one is spelled out."""
        token = self.vocabulary.tags[tag]
        if token in self.segments:
            self.put_bytes(tag.encode())
        else:
            self.segments.append(token)

    def put_call(self, name, arguments, after_call):
        if after_call:
            self.put_bytes(b"\n")
        self.put_tag("<tool_call>")
        call = '{"name": %s, "arguments": %s}' % (
            json.dumps(name), json.dumps(arguments, ensure_ascii=False))
        self.put_bytes(("\n%s\n" % call).encode())
        self.put_tag("</tool_call>")

    def put(self, part, before):
        if "text" in part:
            self.put_bytes(part["text"].encode())
        elif "tool" in part:
            self.put_call(part["tool"], part["args"], before is not None and "tool" in before)
        elif "think" in part:
            self.put_tag("<think>")
            self.put_bytes(("\n%s\n</think>\n\n" % part["think"]).encode())
        elif "hex" in part:
            token = self.vocabulary.add(spell(bytes.fromhex(part["hex"])), NORMAL)
            self.segments.append(token)
        elif "forever" in part:
            self.loop_segment = len(self.segments)
            self.put_bytes(part["forever"].encode())
        else:
            raise ScriptError("a part needs text, tool, think, hex or forever: %r" % (part,))

    def tokens(self):
        """The tokens of the turn and the index to which it loops, or None."""
        tokens, loop_at = [], None
        for index, segment in enumerate(self.segments):
            if index == self.loop_segment:
                loop_at = len(tokens)
            if isinstance(segment, bytes):
                tokens += self.vocabulary.add_pieces(segment)
            else:
                tokens.append(segment)
        return tokens, loop_at


def read_turns(script, vocabulary):
    if not isinstance(script, list) or not 1 <= len(script) <= MAX_TURNS:
        raise ScriptError("a script is a list of 1 to %d turns" % MAX_TURNS)
    turns = []
    for entry in script:
        turn = Turn(vocabulary)
        parts = entry if isinstance(entry, list) else [entry]
        for before, part in zip([None, *parts], parts):
            if before is not None and "forever" in before:
                raise ScriptError('"forever" must be the last part of its turn')
            turn.put(part, before)
        turns.append(turn.tokens())
    return turns


def transitions(turns, vocabulary):
    """{current token: {turn: next token}}"""
    table = {}
    for number, (tokens, loop_at) in enumerate(turns):
        last = vocabulary.end_of_turn if loop_at is None else tokens[loop_at]
        for current, following in zip([vocabulary.assistant, *tokens], [*tokens, last]):
            known = table.setdefault(current, {}).setdefault(number, following)
            if known != following:
                raise ScriptError("turn %d uses %r twice with different followers"
                                  % (number + 1, vocabulary.texts[current]))
    return table


# ---- weights ---------------------------------------------------------------------------------------

def round_up(value, multiple):
    return -(-value // multiple) * multiple


def zeros(rows, columns):
    return [array.array("f", bytes(4 * columns)) for _ in range(rows)]


class Weights:
    """The matrices. Features of the stream: one per token, CONSTANT, RECIPROCAL (r), one per turn."""

    def __init__(self, vocabulary, turn_count):
        self.vocabulary, self.turn_count = vocabulary, turn_count
        tokens = len(vocabulary.texts)
        self.constant, self.reciprocal, self.first_turn = tokens, tokens + 1, tokens + 2
        self.width = round_up(tokens + 2 + turn_count, 32)
        self.inner_width = max(32, round_up(2 * turn_count, 32))
        # What RMS norm multiplies a one-hot vector plus the constant with
        self.gain = (self.width / 2.0) ** 0.5

    def embedding(self):
        matrix = zeros(len(self.vocabulary.texts), self.width)
        for token, row in enumerate(matrix):
            row[token] = row[self.constant] = 1.0
        return matrix

    def attention(self):
        query, key, value = (zeros(HEAD_SIZE, self.width) for _ in range(3))
        output = zeros(self.width, HEAD_SIZE)
        query[8][self.constant] = 8 / self.gain
        for marker in (self.vocabulary.start, self.vocabulary.assistant):
            key[8][marker] = 50 / self.gain  # a score of 70 on markers, 0 elsewhere
        value[0][self.vocabulary.start] = 1 / self.gain
        output[self.reciprocal][0] = 1.0
        return query, key, value, output

    def feed_forward(self):
        """Step j is relu(z + 5) - relu(z - 5) of the scaled distance z of r to the border between turn j and
        j + 1; it is 1 in the turns up to j. Turn k is step k + 1 minus step k."""
        gate, up = zeros(self.inner_width, self.width), zeros(self.inner_width, self.width)
        down = zeros(self.width, self.inner_width)
        height = 1.0 / (10.0 * self.gain)
        for step in range(1, self.turn_count):
            here, after = 1 / (step + 1), 1 / (step + 2)  # r in this turn and in the next
            border, slope = (here + after) / 2, 40.0 / (here - after)
            for unit, offset, sign in ((2 * step, 5.0, 1), (2 * step + 1, -5.0, -1)):
                gate[unit][self.reciprocal] = slope
                gate[unit][self.constant] = -slope * border + offset
                up[unit][self.constant] = 1.0 / self.gain
                down[self.first_turn + step - 1][unit] += sign * height
                down[self.first_turn + step][unit] -= sign * height
        return gate, up, down

    def output(self, table):
        matrix = zeros(len(self.vocabulary.texts), self.width)
        turns_of = {}  # a next token whose choice depends on the turn -> those turns
        for current, by_turn in table.items():
            depends = len(set(by_turn.values())) > 1
            for turn, following in by_turn.items():
                matrix[following][current] = FOLLOWS
                if depends:
                    turns_of.setdefault(following, set()).add(turn)
        for following, turns in turns_of.items():
            for turn in turns:
                matrix[following][self.first_turn + turn] += IN_TURN
            if self.turn_count - 1 in turns:  # the last turn has no step of its own: it is 1 - the others
                matrix[following][self.constant] += IN_TURN
        return matrix

    def tensors(self, table):
        """(name, matrix) in the order of the file; a norm's weights are a matrix of one row."""
        ones = [array.array("f", [1.0] * self.width)]
        query, key, value, attention_output = self.attention()
        gate, up, down = self.feed_forward()
        return [
            ("token_embd.weight", self.embedding()),
            ("output_norm.weight", ones),
            ("output.weight", self.output(table)),
            ("blk.0.attn_norm.weight", ones),
            ("blk.0.attn_q.weight", query),
            ("blk.0.attn_k.weight", key),
            ("blk.0.attn_v.weight", value),
            ("blk.0.attn_output.weight", attention_output),
            ("blk.0.ffn_norm.weight", ones),
            ("blk.0.ffn_gate.weight", gate),
            ("blk.0.ffn_up.weight", up),
            ("blk.0.ffn_down.weight", down),
        ]


# ---- GGUF version 3 --------------------------------------------------------------------------------

GGUF_UINT32, GGUF_INT32, GGUF_FLOAT32, GGUF_BOOL, GGUF_STRING, GGUF_ARRAY = 4, 5, 6, 7, 8, 9
ALIGNMENT = 32


def gguf_string(text):
    raw = text.encode()
    return struct.pack("<Q", len(raw)) + raw


def gguf_value(value):
    if isinstance(value, bool):
        return struct.pack("<I?", GGUF_BOOL, value)
    if isinstance(value, int):
        return struct.pack("<II", GGUF_UINT32, value)
    if isinstance(value, float):
        return struct.pack("<If", GGUF_FLOAT32, value)
    if isinstance(value, str):
        return struct.pack("<I", GGUF_STRING) + gguf_string(value)
    if isinstance(value[0], str):
        head = struct.pack("<IIQ", GGUF_ARRAY, GGUF_STRING, len(value))
        return head + b"".join(map(gguf_string, value))
    return struct.pack("<IIQ%di" % len(value), GGUF_ARRAY, GGUF_INT32, len(value), *value)


def padding(size):
    return bytes(-size % ALIGNMENT)


def write_gguf(path, metadata, tensors):
    head = b"GGUF" + struct.pack("<IQQ", 3, len(tensors), len(metadata))
    for key, value in metadata:
        head += gguf_string(key) + gguf_value(value)
    offset = 0
    for name, matrix in tensors:
        columns, rows = len(matrix[0]), len(matrix)
        dimensions = (columns,) if rows == 1 else (columns, rows)
        head += gguf_string(name) + struct.pack("<I%dQ" % len(dimensions), len(dimensions), *dimensions)
        head += struct.pack("<IQ", 0, offset)  # 0 is F32
        offset += round_up(4 * columns * rows, ALIGNMENT)
    with open(path, "wb") as file:
        file.write(head + padding(len(head)))
        for _, matrix in tensors:
            data = b"".join(row.tobytes() for row in matrix)
            file.write(data + padding(len(data)))


def metadata(vocabulary, weights, template):
    return [
        ("general.architecture", "llama"),
        ("general.name", "scripted"),
        ("llama.block_count", 1),
        ("llama.context_length", CONTEXT_TOKENS),
        ("llama.embedding_length", weights.width),
        ("llama.feed_forward_length", weights.inner_width),
        ("llama.attention.head_count", 1),
        ("llama.attention.head_count_kv", 1),
        ("llama.attention.key_length", HEAD_SIZE),
        ("llama.attention.value_length", HEAD_SIZE),
        ("llama.rope.dimension_count", HEAD_SIZE),
        ("llama.rope.scaling.type", "linear"),
        ("llama.rope.scaling.factor", 1e9),  # switches rotation off
        ("llama.attention.layer_norm_rms_epsilon", 1e-6),
        ("llama.vocab_size", len(vocabulary.texts)),
        ("general.file_type", 0),
        ("tokenizer.ggml.model", "gpt2"),
        ("tokenizer.ggml.pre", "gpt-2"),
        ("tokenizer.ggml.tokens", vocabulary.texts),
        ("tokenizer.ggml.token_type", vocabulary.types),
        ("tokenizer.ggml.merges", ["\u0100 \u0101"]),  # must not be empty; never applies to the text here
        ("tokenizer.ggml.bos_token_id", vocabulary.start),
        ("tokenizer.ggml.eos_token_id", vocabulary.end_of_turn),
        ("tokenizer.ggml.eot_token_id", vocabulary.end_of_turn),
        ("tokenizer.ggml.padding_token_id", vocabulary.end_of_turn),
        ("tokenizer.ggml.add_bos_token", True),
        ("tokenizer.ggml.add_space_prefix", False),
        ("tokenizer.chat_template", template),
    ]


def convert(script, template, path):
    vocabulary = Vocabulary()
    turns = read_turns(script, vocabulary)
    table = transitions(turns, vocabulary)
    weights = Weights(vocabulary, len(turns))
    write_gguf(path, metadata(vocabulary, weights, template), weights.tensors(table))


def main(arguments):
    template = os.path.join(os.path.dirname(os.path.abspath(__file__)), "scripts", "template.jinja")
    if len(arguments) == 4 and arguments[2] == "--template":
        template = arguments[3]
    elif len(arguments) != 2:
        sys.exit("usage: scripted_gguf.py SCRIPT.json OUT.gguf [--template FILE]")
    with open(arguments[0], encoding="utf-8") as file:
        script = json.load(file)
    with open(template, encoding="utf-8") as file:
        template_text = file.read()
    try:
        convert(script, template_text, arguments[1])
    except ScriptError as error:
        sys.exit("%s: %s" % (arguments[0], error))


if __name__ == "__main__":
    main(sys.argv[1:])
