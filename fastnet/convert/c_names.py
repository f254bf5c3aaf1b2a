"""The name of the exported function: an identifier of C and C++ that nothing else uses."""

from __future__ import annotations

import re
from typing import Any

from fastnet.convert import c_functions
from fastnet.core import checks

# Keywords of C99, C11, C23 and C++ up to C++20, with alternative spellings of operators.
_KEYWORDS = """
alignas alignof and and_eq asm auto bitand bitor bool break case catch char char8_t char16_t
char32_t class co_await co_return co_yield compl concept const const_cast consteval constexpr
constinit continue decltype default delete do double dynamic_cast else enum explicit export extern
false float for friend goto if inline int long mutable namespace new noexcept not not_eq nullptr
operator or or_eq private protected public register reinterpret_cast requires restrict return short
signed sizeof static static_assert static_cast struct switch template this thread_local throw true
try typedef typeid typename typeof typeof_unqual union unsigned using virtual void volatile wchar_t
while xor xor_eq
"""

# Functions of C99's library, whose names programs must not give to their own functions, and macros
# of compilers and systems.
_LIBRARY = """
abort abs acos acosh asctime asin asinh assert atan atan2 atanh atexit atof atoi atol atoll bsearch
cabs calloc cbrt ceil clearerr clock copysign cos cosh ctime difftime div erf erfc errno exit exp
exp2 expm1 fabs fclose fdim feof ferror fflush fgetc fgetpos fgets floor fma fmax fmin fmod fopen
fprintf fputc fputs fread free freopen frexp fscanf fseek fsetpos ftell fwrite getc getchar getenv
gets gmtime hypot ilogb isalnum isalpha isblank iscntrl isdigit isgraph islower isprint ispunct
isspace isupper isxdigit labs ldexp ldiv lgamma linux llabs lldiv llrint llround localtime log log10
log1p log2 logb longjmp lrint lround main malloc mblen memchr memcmp memcpy memmove memset mktime
modf nan nearbyint nextafter nexttoward perror pow printf putc putchar puts qsort raise rand realloc
remainder remove remquo rename rewind rint round scalbln scalbn scanf setbuf setjmp setvbuf signal
sin sinh snprintf sprintf sqrt srand sscanf stderr stdin stdout strcat strchr strcmp strcoll strcpy
strcspn strerror strftime strlen strncat strncmp strncpy strpbrk strrchr strspn strstr strtod strtof
strtok strtol strtold strtoll strtoul strtoull strxfrm system tan tanh tgamma time tmpfile tmpnam
toupper tolower trunc ungetc unix va_arg vfprintf vprintf vsnprintf vsprintf NULL EOF
"""

_RESERVED = frozenset([*_KEYWORDS.split(), *_LIBRARY.split()])


def checked(name: Any) -> str:
    """The argument ``name``, checked.

    Raises
    ------
    TypeError, ValueError
        If it is not an identifier, or is reserved by C, C++ or their libraries.
    """
    if not isinstance(name, str):
        raise TypeError(f"name: expected a string, got {checks.short_repr(name)}")
    expected = "an identifier of C, letters, digits and _, that begins with a letter"
    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9_]*", name) or "__" in name:
        raise ValueError(f"name: expected {expected}, got {checks.short_repr(name)}")
    if len(name) > 40:
        raise ValueError(f"name: expected 40 characters at most, got {len(name)}")
    if name in _RESERVED or name.endswith("_t"):
        raise ValueError(f"name: expected one that C and C++ do not reserve, got {name!r}")
    return name


def check_unused(name: str, text: str) -> None:
    """Raise a ValueError if the source ``text`` uses the name for anything but the function, that
    is, anywhere but in its declaration, its definition and its test."""
    if len(re.findall(rf"\b{name}\b", c_functions.code(text))) != 3:
        raise ValueError(f"name: expected one that the file does not use itself, got {name!r}")
