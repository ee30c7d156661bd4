/* SPDX-License-Identifier: Apache-2.0 */
/*
 * banned.h - force-included after nothing else: these functions become compile errors.
 * The system headers that declare them are included first, so that their declarations survive.
 */
#ifndef BASE_BANNED_H
#define BASE_BANNED_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE 1
#endif
#include <alloca.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#undef alloca
/* fortified headers make macros of some of them, with clang */
#undef sprintf
#undef vsprintf
#undef strcpy
#undef strcat
#undef strncpy
#undef strncat

#pragma GCC poison strcpy strcat strncpy strncat sprintf vsprintf strtok atoi atol atof atoll sscanf gets
#pragma GCC poison system popen localtime gmtime ctime asctime alloca srand mktemp tmpnam

#endif
