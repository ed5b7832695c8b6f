const messages = {
  title: 'One more code',
  code: 'Code',
  hint: 'Six digits of your authenticator app, or a recovery code.',
  submit: 'Sign in',
  wrong: 'The code is wrong or was used before, or more than ten minutes have gone by: then begin again.',
  late: 'That took too long. Begin again.',
  anew: 'Begin again',
};

export default messages;
