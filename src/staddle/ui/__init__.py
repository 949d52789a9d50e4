"""What all pages share: templates, words and the files that they load; it knows nothing of requests or of the desk."""
