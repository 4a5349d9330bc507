"""Arrays of NumPy, CuPy, torch and other libraries: conversion, dtypes, devices."""
