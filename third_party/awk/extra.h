#ifndef BX_AWK_EXTRA_H
#define BX_AWK_EXTRA_H

/* Functions of extra.c: more kinds of BLTIN, behind onetrueawk's own. */
enum { FGENSUB = 100, FSTRFTIME, FMKTIME, FSYSTIME, FSTRTONUM, FAND, FOR_, FXOR, FLSHIFT, FRSHIFT, FCOMPL };

#endif
