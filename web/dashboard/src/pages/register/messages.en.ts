const messages = {
  title: 'Register',
  name: 'Your name',
  email: 'E-mail',
  password: 'Password',
  passwordHint: '12 characters at least, and none of the common ones.',
  submit: 'Register',
  taken: 'There is an account with this address already. Sign in, or set a new password.',
  hasAccount: 'You have an account?',
  signIn: 'Sign in',
};

export default messages;
