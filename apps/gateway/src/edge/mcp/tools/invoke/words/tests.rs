//! What commands tell, in words.
