"""Operations: each computation as data, with its execution, shapes and derivative."""
