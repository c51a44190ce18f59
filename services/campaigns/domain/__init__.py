"""What campaigns decides: values in, values out."""
