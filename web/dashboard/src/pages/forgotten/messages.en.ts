const messages = {
  title: 'A new password',
  text: 'We send a link to your address, by which you set another password.',
  email: 'E-mail',
  submit: 'Send the link',
  sent: (email: string) =>
    `If there is an account for ${email}, a mail is on its way to it. Its link is good for an hour.`,
  back: 'Back to the sign-in',
};

export default messages;
