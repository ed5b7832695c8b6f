const messages = {
  title: 'Sign in',
  email: 'E-mail',
  password: 'Password',
  code: 'Code',
  codeHint: 'Six digits of your authenticator app, or a recovery code.',
  submit: 'Sign in',
  ended: 'Your session has ended. Sign in again.',
  wrong: 'The e-mail address or the password is wrong.',
  wrongCode: 'The code is wrong, or was used before.',
  or: 'Or',
  provider: (name: string) => `Sign in with ${name}`,
  forgotten: 'Forgotten your password?',
  noAccount: 'No account yet?',
  register: 'Register',
};

export default messages;
