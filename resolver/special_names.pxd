# C types; the meaning is in special_names.py.
cimport cython
from dnswire.query cimport Query

@cython.locals(qname=bytes)
cpdef object special_name(Query query, object decision, bint inside)
