# edits.sh: run in awk's source folder: the names of the functions of extra.c, in the order of the alphabet.
set -e
add() { # BEFORE NAME SUB
    sed -i "s/^\t{ \"$1\",/\t{ \"$2\", $3, BLTIN },\n&/" lex.c
    grep -q "\"$2\", $3, BLTIN" lex.c
}
sed -i 's/^#include "awkgram.tab.h"$/&\n#include "extra.h"/' lex.c
grep -q extra.h lex.c
add atan2 and FAND
add continue compl FCOMPL
add getline gensub FGENSUB
add match lshift FLSHIFT
add next mktime FMKTIME
add print or FOR_
add sin rshift FRSHIFT
add sub strftime FSTRFTIME
add sub strtonum FSTRTONUM
add tolower systime FSYSTIME
sed -i 's/^\t{ "while",.*/&\n\t{ "xor", FXOR, BLTIN },/' lex.c
grep -q '"xor", FXOR' lex.c
