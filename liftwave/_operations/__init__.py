"""Operations: computations as data, with their execution, shapes and derivatives."""
