// Remembers which server the reader comes from, on the reader's device alone: it fills the field in, and is told nobody.
const field = document.querySelector('input[name=from]');
const NAME = 'veerpont-from';

try {
  if (field.value === '') field.value = localStorage.getItem(NAME) ?? '';
  field.form.addEventListener('submit', () => localStorage.setItem(NAME, field.value.trim()));
} catch {
  // The browser keeps nothing for us: the page works without.
}
