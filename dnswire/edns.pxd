# C types; the meaning is in edns.py.
cimport cython

@cython.locals(offset=int, size=int)
cpdef check_options(bytes raw)

cpdef bytes opt(int udp_size, int extended_rcode, bint do, bytes options_wire=*)
