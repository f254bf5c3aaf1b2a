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

# Functions of C99's <math.h>, which have variants that end in f and l.
_MATH = """
acos acosh asin asinh atan atan2 atanh cbrt ceil copysign cos cosh erf erfc exp exp2 expm1 fabs fdim
floor fma fmax fmin fmod frexp hypot ilogb ldexp lgamma llrint llround log log10 log1p log2 logb
lrint lround modf nan nearbyint nextafter nexttoward pow remainder remquo rint round scalbln scalbn
sin sinh sqrt tan tanh tgamma trunc cabs carg cexp cimag clog conj cpow cproj creal csqrt drem exp10
finite gamma isinf isnan j0 j1 jn pow10 scalb signbit significand sincos y0 y1 yn
"""

# Other functions of the library, whose names are reserved as those of functions; functions of POSIX
# that gcc knows or that the library of a program would call instead; macros of headers, compilers
# and systems.
_LIBRARY = """
abort abs asctime assert atexit atof atoi atol atoll bsearch calloc clearerr clock ctime difftime
div errno exit fclose feof ferror fflush fgetc fgetpos fgets fopen fprintf fputc fputs fread free
freopen fscanf fseek fsetpos ftell fwrite getc getchar getenv gets gmtime imaxabs imaxdiv isalnum
isalpha isblank iscntrl isdigit isfinite isgraph isgreater isless islower isnormal isprint ispunct
isspace isunordered isupper iswalpha isxdigit labs ldiv linux llabs lldiv localtime longjmp main
malloc mblen memchr memcmp memcpy memmove memset mktime offsetof perror printf putc putchar puts
qsort raise rand realloc remove rename rewind scanf setbuf setjmp setvbuf signal snprintf sprintf
srand sscanf stderr stdin stdout strcat strchr strcmp strcoll strcpy strcspn strerror strftime
strlen strncat strncmp strncpy strpbrk strrchr strspn strstr strtod strtof strtok strtol strtold
strtoll strtoul strtoull strxfrm system time tmpfile tmpnam tolower toupper ungetc unix va_arg
vfprintf vfscanf vprintf vscanf vsnprintf vsprintf vsscanf wcslen BUFSIZ EOF FILE INFINITY NAN NULL
PTRDIFF_MAX SIZE_MAX

accept access alarm alloca bcmp bcopy bind brk bzero close connect dup execl execv execve ffs fork
fstat index ioctl isatty isascii kill link listen lseek memccpy mempcpy mmap open pause pipe poll
read recv rindex sbrk select send sleep socket stat stpcpy strcasecmp strdup strlcpy strndup
toascii unlink wait write
"""

_RESERVED = frozenset(
    [*_KEYWORDS.split(), *_LIBRARY.split()]
    + [name + suffix for name in _MATH.split() for suffix in ("", "f", "l")]
)


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
